/** Definitions of one version over history as it is now, ready to say what a feature would be with some rows left out. */
import type { Column } from '../../arrow/column.ts';
import { readValue } from '../../arrow/read-value.ts';
import type { LiteralValue } from '../../definitions/literal.ts';
import { decodeLiteral } from '../../definitions/literal.ts';
import { statusNames } from '../../definitions/status.ts';
import type { KeyType } from '../../definitions/value-type.ts';
import { parseValueType } from '../../definitions/value-type.ts';
import type { Contribution } from '../../offline/contributions.ts';
import { readRequest } from '../../offline/frame/read-request.ts';
import type { History } from '../../offline/history.ts';
import type { LookupPlan, RetrievalPlan } from '../../offline/plan.ts';
import type { ResolvedFeature, ResolvedTransform } from '../../registry/resolve.ts';
import { openTransform, type Transform } from '../../transform/open-transform.ts';
import { compileEvaluate, compileScale, type Evaluate } from './evaluate.ts';
import type { LeaveOut } from './leave-out.ts';
import type { ServedBatch } from './pairs.ts';

/** One value as either path may give it. */
export interface Answer {
  readonly value: LiteralValue;
  readonly status: number;
  readonly isDefault: boolean;
  readonly eventUs: bigint | null;
  /** The rows or events that it is made of, by label of their look-up. */
  readonly from: readonly { readonly lookup: LookupPlan; readonly rows: readonly Contribution[] }[];
  /** What a relative tolerance is of, where the values do not say it. */
  readonly scale?: number;
}

/** The fitted default of another day, or none, in the place of that of T's day. */
export interface OtherDefault {
  readonly feature: number;
  readonly value: LiteralValue | undefined;
}

export interface Definition {
  readonly plan: RetrievalPlan;
  /** Places in the plan's features that an output is made of. */
  featuresOf(output: number): readonly number[];
  /** The rows of a look-up's key at a row of the frame; undefined where a part of the key is null. */
  rowsOf(lookup: number, row: number): readonly Contribution[] | undefined;
  keyOf(lookup: number, row: number): readonly LiteralValue[] | undefined;
  /** The fitted default of a day; undefined where there is none. */
  fitted(feature: number, day: number): Promise<LiteralValue | undefined>;
  /** `leaveOuts` and `defaults` say what is otherwise than history has it. */
  answer(output: number, row: number, leaveOuts: readonly LeaveOut[], defaults: readonly OtherDefault[]): Promise<Answer>;
}

const dayUs = 86_400_000_000n;
const [present, nullValue] = [statusNames.indexOf('PRESENT'), statusNames.indexOf('NULL_VALUE')];

/** Reads what the rows of the frame named by output are made of. */
export async function openDefinition(
  history: Pick<History, 'contributions' | 'fittedDefault'>,
  plan: RetrievalPlan,
  batch: ServedBatch,
  wanted: readonly { readonly output: number; readonly row: number }[],
  signal: AbortSignal,
): Promise<Definition> {
  const transforms = plan.transforms.map(({ view }) => openTransform(view));
  const featuresOf = (output: number) => featuresOfOutput(plan, output);
  const keyOf = (lookup: number, row: number) => readKey(plan.lookups[lookup] as LookupPlan, batch.columns, row);
  const timeUs = readTimes(plan, batch.columns);
  const found = await Promise.all(
    plan.lookups.map(async (lookup, at) => {
      const rows = wanted.filter(({ output }) => featuresOf(output).some((one) => plan.features[one]?.lookup === at));
      return await readRows(history, lookup, new Set(rows.map(({ row }) => row)), (row) => keyOf(at, row), signal);
    }),
  );
  const evaluates = plan.features.map(({ lookup, feature }) => compileEvaluate(plan.lookups[lookup] as LookupPlan, feature));
  const numbers = new Map<string, Promise<LiteralValue | undefined>>();

  function fitted(at: number, day: number): Promise<LiteralValue | undefined> {
    const { lookup, feature } = plan.features[at] as ResolvedFeature;
    const { view, source } = plan.lookups[lookup] as LookupPlan;
    const known = numbers.get(`${at} ${day}`) ?? history.fittedDefault(view, source, feature, day, signal);
    numbers.set(`${at} ${day}`, known);
    return known;
  }

  async function defaultOf(at: number, atUs: bigint, others: readonly OtherDefault[]): Promise<LiteralValue | undefined> {
    const { feature } = plan.features[at] as ResolvedFeature;
    const given = feature.default;
    if (given === undefined) return undefined;
    if ('literal' in given) return decodeLiteral(parseValueType(feature.type), given.literal);
    const other = others.find((one) => one.feature === at);
    return other === undefined ? await fitted(at, dayOf(atUs)) : other.value;
  }

  const rowsOf = (lookup: number, row: number) => found[lookup]?.get(row);

  async function answerFeature(at: number, row: number, leaveOuts: readonly LeaveOut[], others: readonly OtherDefault[]) {
    const { lookup: place, feature } = plan.features[at] as ResolvedFeature;
    const lookup = plan.lookups[place] as LookupPlan;
    const own = leaveOuts.filter(({ label }) => label === lookup.label);
    const isUnfilled = own.some((set) => set.isUnfilled === true);
    const rows = isUnfilled ? undefined : rowsOf(place, row)?.filter((one) => !own.some((set) => set.rows.has(one)));
    const atUs = timeUs(row);
    const evaluated = (evaluates[at] as Evaluate)(rows, atUs);
    const from = [{ lookup, rows: evaluated.from }];
    const scale = compileScale(lookup, feature)?.(evaluated.from);
    if (evaluated.status === present) return { ...evaluated, isDefault: false, from, scale };
    const instead = await defaultOf(at, atUs, others);
    return instead === undefined
      ? { ...evaluated, isDefault: false, from, scale }
      : { ...evaluated, value: instead, isDefault: true, from, scale };
  }

  async function answer(output: number, row: number, leaveOuts: readonly LeaveOut[], others: readonly OtherDefault[]) {
    const inputs: Answer[] = [];
    for (const at of featuresOf(output)) inputs.push(await answerFeature(at, row, leaveOuts, others));
    const computed = plan.outputs[output];
    if (computed?.kind !== 'computed') return inputs[0] as Answer;
    const { view } = plan.transforms[computed.transform] as ResolvedTransform;
    const columns = view.features.map(() => [] as LiteralValue[]);
    const request = view.request.map(({ name }) => [readGiven(plan, batch.columns, name, row)]);
    (transforms[computed.transform] as Transform).run(
      { timesUs: [timeUs(row)], inputs: inputs.map(({ value }) => [value]), request, firstRow: row },
      0,
      1,
      columns,
    );
    const value = columns[computed.output]?.[0] as LiteralValue;
    const status = value === null ? nullValue : present;
    return { value, status, isDefault: false, eventUs: null, from: inputs.flatMap(({ from }) => from) };
  }

  return { plan, featuresOf, rowsOf, keyOf, fitted, answer };
}

export function dayOf(us: bigint): number {
  const rest = us % dayUs;
  return Number((us - (rest < 0n ? rest + dayUs : rest)) / dayUs);
}

function featuresOfOutput(plan: RetrievalPlan, output: number): readonly number[] {
  const planned = plan.outputs[output];
  if (planned === undefined) return [];
  return planned.kind === 'feature' ? [planned.feature] : (plan.transforms[planned.transform]?.inputs ?? []);
}

/** By row of the frame; rows of one key share their list. */
async function readRows(
  history: Pick<History, 'contributions'>,
  { view, source }: LookupPlan,
  rows: ReadonlySet<number>,
  keyOf: (row: number) => readonly LiteralValue[] | undefined,
  signal: AbortSignal,
): Promise<ReadonlyMap<number, readonly Contribution[]>> {
  const keys = new Map<string, { readonly key: readonly LiteralValue[]; readonly rows: number[] }>();
  for (const row of rows) {
    const key = keyOf(row);
    if (key === undefined) continue;
    const text = key.map((part) => (part instanceof Uint8Array ? Buffer.from(part).toString('hex') : String(part))).join('\0');
    const known = keys.get(text) ?? { key, rows: [] };
    keys.set(text, known);
    known.rows.push(row);
  }
  const wanted = [...keys.values()];
  if (wanted.length === 0) return new Map();
  const found = await history.contributions(
    view,
    source,
    wanted.map(({ key }) => key),
    signal,
  );
  return new Map(wanted.flatMap(({ rows: of }, at) => of.map((row) => [row, found[at] ?? []] as const)));
}

function readKey({ keys }: LookupPlan, columns: readonly Column[], row: number): readonly LiteralValue[] | undefined {
  const parts = keys.map(({ index, type }) => convertKey(readValue(columns[index] as Column, row), type));
  return parts.includes(null) ? undefined : parts;
}

function convertKey(value: unknown, type: KeyType): LiteralValue {
  if (value === null) return null;
  if (type === 'int64') return BigInt(value as bigint | number);
  return type === 'int32' ? Number(value) : (value as LiteralValue);
}

function readTimes({ time }: RetrievalPlan, columns: readonly Column[]): (row: number) => bigint {
  if (time.kind === 'at') return () => time.us;
  return (row) => readValue(columns[time.index] as Column, row) as bigint;
}

function readGiven({ request }: RetrievalPlan, columns: readonly Column[], name: string, row: number): LiteralValue {
  const planned = request.find((one) => one.name === name);
  if (planned === undefined) return null;
  return readRequest(planned, columns[planned.index] as Column, 0)[row] as LiteralValue;
}
