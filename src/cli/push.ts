/** `featherflight push SOURCE FILE`: the rows of a file into a source that takes pushes, and into the online store, once. */
import { createHash } from 'node:crypto';
import { Command } from 'commander';
import type { Acting } from '../audit/acting.ts';
import { encodeColumns, encodeMembers, type RequestColumns } from '../client/http/encode-columns.ts';
import { FeatureStoreError } from '../errors.ts';
import { createPushes, type PushReport } from '../materialize/push.ts';
import { declaredColumns } from '../offline/archive/archived-columns.ts';
import { findNamed } from '../registry/references.ts';
import type { StreamCounts } from '../stream/progress.ts';
import type { PushedEventsReport } from '../stream/push-events.ts';
import type { Context } from './context.ts';
import { withScratchEngine } from './entity-frame.ts';
import { withOnlineWriter } from './online.ts';
import { pushEventsHere } from './push-events.ts';
import { type Columns, readPushedRows } from './pushed-rows.ts';
import { urlOption, withHttp } from './remote.ts';

interface Options {
  readonly idempotencyKey?: string;
  readonly url?: string;
}

/** Name of a column of the source -> its type. */
type Types = Readonly<Record<string, string>>;

/** Takes the rows of one push, under its key. */
type PushPart = (rows: Columns, idempotencyKey: string) => Promise<PushReport | PushedEventsReport>;

/** What one push holds: within a server's limit of rows a request. */
const partRows = 5000;

export function pushCommand(context: Context): Command {
  return new Command()
    .argument('<source>', 'an event source, or a batch source with push: true')
    .argument('<file>', "rows with the source's columns: Parquet, CSV, JSON or Arrow IPC by extension")
    .option('--idempotency-key <key>', 'the same for every try of one push, which counts once; default: made of the rows')
    .addOption(urlOption(context))
    .action(async (source: string, file: string, { idempotencyKey, url }: Options) => {
      const reports: (PushReport | PushedEventsReport)[] = [];
      const pushAll = (types: Types, push: PushPart) =>
        withScratchEngine(async (engine) => {
          const rowsFile = { path: file, directory: context.directory, types, partRows };
          let rows = 0;
          for await (const part of readPushedRows(engine, rowsFile, context.interruption())) {
            const report = await push(part, keyOfPart(idempotencyKey, reports.length, part)).catch((error: unknown) => {
              throw placeInFile(error, reports.length * partRows);
            });
            reports.push(report);
            rows += report.rows;
            context.progress(`${rows.toLocaleString('en')} rows pushed`);
          }
        });
      const applied = await (url === undefined ? pushHere(context, source, pushAll) : pushThere(url, context, source, pushAll));
      context.progress('');
      if (applied === undefined && !reports.some(isOfEvents)) await tellRows(context, reports as PushReport[]);
      else await tellEvents(context, source, reports as PushedEventsReport[], applied);
    });
}

function isOfEvents(report: PushReport | PushedEventsReport): report is PushedEventsReport {
  return 'appended' in report;
}

async function tellRows(context: Context, reports: readonly PushReport[]): Promise<void> {
  const total = { rows: 0, archived: 0, written: 0, unchanged: 0, erased: 0 };
  for (const report of reports) {
    if (report.archived) total.archived += report.rows;
    for (const name of ['rows', 'written', 'unchanged', 'erased'] as const) total[name] += report[name];
  }
  const { rows, archived, written, unchanged, erased } = total;
  if (context.json) return await context.write(`${JSON.stringify(total)}\n`);
  await context.write(`pushed ${rows} rows: ${written} written online, ${unchanged} unchanged, ${erased} erased\n`);
  if (archived < rows) context.say(`${rows - archived} rows were pushed before and are not archived again`);
}

/** `applied` is undefined where a server applies them by itself. */
async function tellEvents(
  context: Context,
  source: string,
  reports: readonly PushedEventsReport[],
  applied: StreamCounts | undefined,
): Promise<void> {
  const total = { rows: 0, appended: 0 };
  for (const { rows, appended } of reports) {
    total.rows += rows;
    if (appended) total.appended += rows;
  }
  if (context.json) {
    const { setAside, ...counts } = applied ?? {};
    const told = applied === undefined ? {} : { applied: { ...counts, set_aside: setAside } };
    return await context.write(`${JSON.stringify({ ...total, ...told })}\n`);
  }
  await context.write(`pushed ${total.rows} events to ${source}: ${total.appended} are new\n`);
  if (applied !== undefined) {
    const { events, late, setAside, duplicates } = applied;
    await context.write(`applied ${events} events; ${late} late, ${setAside} set aside, ${duplicates} duplicates\n`);
    if (setAside > 0) context.say(`why they were set aside: featherflight source set-aside ${source}`);
  }
  if (total.appended < total.rows) context.say(`${total.rows - total.appended} events were pushed before and do not count again`);
}

type PushAll = (types: Types, push: PushPart) => Promise<void>;

async function pushHere(context: Context, name: string, pushAll: PushAll): Promise<StreamCounts | undefined> {
  return await withOnlineWriter(context, 'push', async (parts, audit) => {
    const { registry, history, store } = parts;
    const source = findNamed(registry.sources, 'source', name);
    const columns = source.kind === 'event' ? declaredColumns(source) : source.columns;
    const types = Object.fromEntries(columns.map((column) => [column.name, column.type]));
    if (source.kind === 'event') {
      return await pushEventsHere(context, parts, source, (push) => auditFile(audit, name, push, (told) => pushAll(types, told)));
    }
    const pushes = createPushes({ history, store, registry: () => registry });
    const push: PushPart = (rows, idempotencyKey) => pushes.pushRows(name, rows, { idempotencyKey });
    await auditFile(audit, name, push, (told) => pushAll(types, told));
    return undefined;
  });
}

/** A file is one act, however many pushes it takes. */
async function auditFile<T extends PushPart>(
  audit: Acting,
  source: string,
  push: T,
  pushAll: (push: T) => Promise<void>,
): Promise<void> {
  let rows = 0;
  const counted = async (...given: Parameters<PushPart>) => {
    const report = await push(...given);
    rows += report.rows;
    return report;
  };
  const tell = () => ({ what: `${rows} rows of a file`, details: { rows } });
  await audit.act({ action: 'push', names: [source], tell }, () => pushAll(counted as T));
}

async function pushThere(url: string, context: Context, name: string, pushAll: PushAll): Promise<undefined> {
  return await withHttp(url, context, async (http) => {
    const signal = context.interruption();
    const path = `/api/v1/sources/${encodeURIComponent(name)}`;
    const described = (await http.call({ method: 'GET', path, isRepeatable: true, signal })) as { readonly columns: Types };
    await pushAll(described.columns, async (rows, idempotencyKey) => {
      const body = encodeMembers({
        source: JSON.stringify(name),
        rows: encodeColumns(rows as RequestColumns),
        idempotency_key: JSON.stringify(idempotencyKey),
      });
      return (await http.call({ method: 'POST', path: '/api/v1/push', body, isRepeatable: true, signal })) as
        | PushReport
        | PushedEventsReport;
    });
    return undefined;
  });
}

/** A row of a part is told as one of the file. */
function placeInFile(error: unknown, partStart: number): unknown {
  if (!(error instanceof FeatureStoreError) || typeof error.details.row !== 'number' || partStart === 0) return error;
  const { code, message, details } = error;
  const row = partStart + error.details.row;
  return new FeatureStoreError(code, `${message} (row ${row} of the file)`, { details: { ...details, row }, cause: error });
}

/** The same for the same rows at the same place of the file, or, where the caller names the push, for the same place of it. */
function keyOfPart(given: string | undefined, part: number, rows: Columns): string {
  const content = given === undefined ? encodeColumns(rows as RequestColumns) : given;
  return createHash('sha256')
    .update(JSON.stringify([part, content]))
    .digest('hex');
}
