/** An applied transform, ready to run over rows: the bundle of the document and nothing of the files (rule 7.4). */
import { types } from 'node:util';
import { type Context, Script } from 'node:vm';
import { formatInstantUs } from '../definitions/format-instant.ts';
import { encodeLiteral, type LiteralValue } from '../definitions/literal.ts';
import { parseValueType } from '../definitions/value-type.ts';
import { didYouMean, FeatureStoreError } from '../errors.ts';
import type { OnDemandViewDocument } from '../registry/document.ts';
import { createPureContext } from './pure-context.ts';
import { describeResult, type ReadResult, resultReader } from './read-result.ts';
import { rowTime } from './row-time.ts';
import { compileRowLoop, type RowLoopInput } from './run-rows.ts';

/** Rows by column: values as `LiteralValue`s after defaults. */
export interface TransformRows {
  /** T by row; where it is null the transform is not run (rule 7.3). */
  readonly timesUs: readonly (bigint | null)[];
  /** By input, in the order of the view's inputs and of the features of each. */
  readonly inputs: readonly (readonly LiteralValue[])[];
  /** By request value, in the view's order. */
  readonly request: readonly (readonly LiteralValue[])[];
  /** What row 0 is called in errors; default 0. */
  readonly firstRow?: number;
}

export interface Transform {
  /** Runs rows `from` up to `to` and writes their values into `columns`, one a feature in the view's order: null also where T is. */
  run(rows: TransformRows, from: number, to: number, columns: readonly LiteralValue[][]): void;
}

/**
 * How long one call of `run` may take: no row takes so long, and a loop without end would keep everybody waiting. The watch costs about a
 * tenth of a millisecond a call; null is none.
 */
const defaultTimeoutMs = 10_000;

/** Loads a view's transform. FAILED_PRECONDITION names the transform, and where one fails the row and the value. */
export function openTransform(view: OnDemandViewDocument, timeoutMs: number | null = defaultTimeoutMs): Transform {
  const context = createPureContext();
  const loop = loadLoop(view, context, timeoutMs);
  const outputs = view.features.map(({ name, type }) => ({ name, read: resultReader(parseValueType(type)) }));

  function run(rows: TransformRows, from: number, to: number, columns: readonly LiteralValue[][]): void {
    const results: unknown[] = new Array(to);
    const at = { row: from };
    const input: RowLoopInput = { ...rows, now: rowTime, results, from, to, at };
    try {
      callWithin(context, timeoutMs, () => loop(input));
    } catch (error) {
      const given = describeRow(view, rows, at.row);
      throw failure(view, rows, at.row, `${describeThrown(error, timeoutMs)}; it was given ${given}`, { cause: error });
    }
    for (let row = from; row < to; row++) {
      if (rows.timesUs[row] === null) {
        for (const column of columns) column[row] = null;
        continue;
      }
      const problem = readRow(outputs, results[row], row, columns);
      if (problem !== undefined) throw failure(view, rows, row, problem.text, problem);
    }
  }
  return { run };
}

export interface Transforms {
  of(name: string): Transform;
}

/** Transforms of a registry document, each loaded when it is first asked for. */
export function openTransforms(views: readonly OnDemandViewDocument[], timeoutMs?: number | null): Transforms {
  const opened = new Map<string, Transform>();
  return {
    of(name) {
      const known = opened.get(name);
      if (known !== undefined) return known;
      const view = views.find((candidate) => candidate.name === name);
      if (view === undefined) throw new FeatureStoreError('INTERNAL', `there is no transform "${name}"`);
      const transform = openTransform(view, timeoutMs);
      opened.set(name, transform);
      return transform;
    },
  };
}

function loadLoop(view: OnDemandViewDocument, context: Context, timeoutMs: number | null): (input: RowLoopInput) => void {
  const fail = (problem: string, cause?: unknown) =>
    new FeatureStoreError('FAILED_PRECONDITION', `transform "${view.name}" cannot be loaded: ${problem}`, {
      details: { transform: view.name },
      cause,
    });
  let transform: unknown;
  try {
    const text = `${view.transform.bundle}\nfeatherflight.transforms[${JSON.stringify(view.name)}]`;
    transform = new Script(text, { filename: `${view.name}.js` }).runInContext(context, {
      timeout: timeoutMs ?? defaultTimeoutMs,
    });
  } catch (error) {
    const fix = 'what it imports, and its own file, must need nothing of the machine; define the view in a file of its own';
    throw fail(`${describeThrown(error, timeoutMs)}; ${fix}`, error);
  }
  if (typeof transform !== 'function') throw fail('it is not in its bundle; apply the definitions again');
  return new Script(compileRowLoop(view)).runInContext(context)(transform) as (input: RowLoopInput) => void;
}

/** The error of one row. */
function failure(
  view: OnDemandViewDocument,
  rows: TransformRows,
  row: number,
  problem: string,
  { feature, cause }: { readonly feature?: string; readonly cause?: unknown } = {},
): FeatureStoreError {
  const number = (rows.firstRow ?? 0) + row;
  return new FeatureStoreError('FAILED_PRECONDITION', `transform "${view.name}", row ${number}: ${problem}`, {
    details: { transform: view.name, row: number, ...(feature === undefined ? {} : { feature }) },
    cause,
  });
}

const call = new Script('featherflightCall()');

/** Calls into the context with a time limit, which only a script can have. */
function callWithin(context: Context, timeoutMs: number | null, run: () => void): void {
  if (timeoutMs === null) {
    run();
    return;
  }
  context.featherflightCall = run;
  try {
    call.runInContext(context, { timeout: timeoutMs });
  } finally {
    context.featherflightCall = undefined;
  }
}

interface Output {
  readonly name: string;
  readonly read: ReadResult;
}

/** Writes one row's values; tells what is wrong with them. */
function readRow(
  outputs: readonly Output[],
  result: unknown,
  row: number,
  columns: readonly LiteralValue[][],
): { readonly text: string; readonly feature?: string } | undefined {
  if (types.isPromise(result)) return { text: 'it answered a promise; a transform answers at once' };
  if (typeof result !== 'object' || result === null || Array.isArray(result))
    return { text: `it answered ${describeResult(result)}; answer an object with a value for each feature` };
  const values = result as Readonly<Record<string, unknown>>;
  for (const [at, { name, read }] of outputs.entries()) {
    const value = values[name];
    if (value === undefined) return { text: `it answered no "${name}"; answer null where there is no value`, feature: name };
    try {
      (columns[at] as LiteralValue[])[row] = value === null ? null : read(value);
    } catch (error) {
      if (!(error instanceof FeatureStoreError)) throw error;
      return { text: `feature "${name}": ${error.message}`, feature: name };
    }
  }
  const names = Object.keys(values);
  if (names.length === outputs.length) return undefined;
  const known = outputs.map((output) => output.name);
  const unknown = names.find((name) => !known.includes(name));
  return unknown === undefined
    ? undefined
    : { text: `it answered "${unknown}", which is no feature of it${didYouMean(unknown, known)}`, feature: unknown };
}

/** An error of the transform's realm is none of ours: it is known by its form. */
function describeThrown(error: unknown, timeoutMs: number | null): string {
  if ((error as { code?: unknown } | null)?.code === 'ERR_SCRIPT_EXECUTION_TIMEOUT')
    return `it did not end within ${(timeoutMs ?? defaultTimeoutMs) / 1000} s`;
  if (error instanceof FeatureStoreError) return error.message;
  if (types.isNativeError(error)) return `${error.name}: ${error.message}`;
  return `it threw ${describeResult(error)}`;
}

/** What a row was given, as JSON that is cut where it is long. */
function describeRow(view: OnDemandViewDocument, rows: TransformRows, row: number): string {
  let next = 0;
  const features = view.inputs.map((input) => [
    input.prefix ?? input.view,
    Object.fromEntries(input.features.map((name) => [name, showCell(rows.inputs[next++]?.[row])])),
  ]);
  const request = view.request.map(({ name }, at) => [name, showCell(rows.request[at]?.[row])]);
  const timeUs = rows.timesUs[row];
  const given = {
    ...(features.length === 0 ? {} : { features: Object.fromEntries(features) }),
    ...(request.length === 0 ? {} : { request: Object.fromEntries(request) }),
    now: typeof timeUs === 'bigint' ? formatInstantUs(timeUs) : null,
  };
  const text = JSON.stringify(given);
  return text.length <= 400 ? text : `${text.slice(0, 399)}…`;
}

function showCell(value: LiteralValue | undefined): unknown {
  if (typeof value === 'bigint' || (typeof value === 'number' && !Number.isFinite(value))) return String(value);
  if (value instanceof Uint8Array) return encodeLiteral({ kind: 'bytes' }, value);
  return Array.isArray(value) ? value.map(showCell) : value;
}
