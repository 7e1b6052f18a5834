/** Looks at single differences: what the rows of their keys say without what the server cannot have known. */
import type { LiteralValue } from '../../definitions/literal.ts';
import { parseValueType } from '../../definitions/value-type.ts';
import type { Contribution } from '../../offline/contributions.ts';
import type { LookupPlan } from '../../offline/plan.ts';
import type { ResolvedFeature } from '../../registry/resolve.ts';
import { type CauseName, type Elimination, findExplanation } from './causes.ts';
import { compileComparison } from './compare.ts';
import type { Side } from './compare-feature.ts';
import { type Answer, type Definition, dayOf, type OtherDefault } from './definition.ts';
import type { LostRows, Reach } from './erased.ts';
import { type LeaveOut, listLeaveOuts } from './leave-out.ts';
import { findLostOf } from './lost-rows.ts';
import type { KnownThen } from './pairs.ts';
import { showInstant } from './show.ts';
import type { Tolerance } from './tolerance.ts';

export interface Difference {
  /** Place among the outputs of the plan, and the row of the frame. */
  readonly output: number;
  readonly row: number;
  readonly atUs: bigint;
  /** By the definitions of now, and as it was served. */
  readonly type: string;
  readonly servedType: string;
  readonly tolerance: Tolerance;
  readonly online: Side;
  readonly offline: Side;
}

export interface Examined {
  /** `none`: the sides agree after all, as the tolerance is of the events' magnitude. */
  readonly cause: CauseName | 'none';
  /** All that act together, the cause first. */
  readonly causes: readonly CauseName[];
  readonly text: string;
  /** What the served value is made of, as far as that is found. */
  readonly online: Answer['from'];
  readonly offline: Answer['from'];
  /** Why a second look is to settle it. */
  readonly doubt?: Doubt;
}

export interface Doubt {
  /** What is taken for not having been there. */
  readonly rows: ReadonlySet<Contribution>;
  /** Unless all of them are seen to be served by now, it is `otherwise`. */
  readonly isProofNeeded: boolean;
  readonly otherwise: Examined;
}

export interface ExamineParts {
  readonly now: Definition;
  /** The version that was served, where it is another one and has the output; the place of the output there. */
  served(output: number): { readonly definition: Definition; readonly output: number; readonly version: number } | undefined;
  knownAt(label: string, row: number): readonly KnownThen[];
  erasedUs(lookup: LookupPlan, key: readonly LiteralValue[]): bigint | undefined;
  /** What went from the archive of a view's source with entities that were erased, and may be in a value. */
  lostRows(lookup: LookupPlan, reach: Reach): LostRows | undefined;
  /** When the definition that a feature has now was applied first, where it had another one before. */
  redefinedUs(view: string, feature: string): bigint | undefined;
}

interface Tried extends Elimination {
  readonly leaveOut?: LeaveOut;
  readonly instead?: OtherDefault;
  readonly isServedVersion?: true;
}

/** Fitted defaults of so many days before are tried. */
const earlierDays = 7;

export async function examine(parts: ExamineParts, difference: Difference): Promise<Examined> {
  const { now } = parts;
  const { output, row } = difference;
  const whole = await now.answer(output, row, [], []);
  const offline = whole.from;
  const isSameType = difference.type === difference.servedType;
  const agrees = compileAgreement(difference, difference.servedType, whole.scale);
  if (isSameType && agrees(whole, difference.online)) return { cause: 'none', causes: [], text: '', online: offline, offline };
  if (!compileAgreement(difference, difference.type, whole.scale)(whole, difference.offline)) {
    const text = 'the rows of the key do not give the training value again: they changed while they were read, or there is a bug';
    return { cause: 'bug', causes: ['bug'], text, online: [], offline };
  }
  const eliminations = await listEliminations(parts, difference);
  const answers = new Map<readonly Tried[], Answer>();
  const tryOne = async (set: readonly Tried[]): Promise<boolean> => {
    const given = await answerWithout(parts, difference, set);
    answers.set(set, given);
    return (isSameType || isServed(set)) && agrees(given, difference.online);
  };
  const bug: Examined = { cause: 'bug', causes: ['bug'], text: bugText, online: [], offline };
  const lost = explainLostRows(parts, difference, offline) ?? bug;
  const otherwise = explainReplacedFile(parts, difference, whole, lost) ?? lost;
  const found = (await findExplanation(eliminations.filter(isKnown), tryOne)) ?? (await findExplanation(eliminations, tryOne));
  if (found === undefined) return otherwise;
  const [first] = found as readonly [Tried];
  const text = found.map((one) => one.text).join('; and ');
  const causes = found.map(({ cause }) => cause);
  const doubt = doubtOf(found, otherwise);
  return { cause: first.cause, causes, text, online: answers.get(found)?.from ?? [], offline, doubt };
}

function isKnown({ leaveOut }: Tried): boolean {
  return leaveOut?.certainty !== 'possible';
}

function doubtOf(found: readonly Tried[], otherwise: Examined): Doubt | undefined {
  const doubtful = found.flatMap(({ leaveOut }) => (leaveOut?.certainty === undefined ? [] : [leaveOut]));
  if (doubtful.length === 0) return undefined;
  const rows = new Set(doubtful.flatMap((one) => [...one.rows]));
  return { rows, isProofNeeded: !found.every(isKnown), otherwise };
}

const bugText = 'no row or event that the server cannot have known, no earlier definition and no earlier default explains it';

/** Whether an answer is what a side has. */
function compileAgreement({ tolerance, row }: Difference, type: string, scale: number | undefined) {
  const compare = compileComparison(parseValueType(type), tolerance);
  return (answer: Answer, side: Side): boolean =>
    answer.status === side.statuses[row] &&
    answer.isDefault === (side.isDefault[row] === 1) &&
    answer.eventUs === side.eventUs[row] &&
    compare(answer.value, side.values[row] as LiteralValue, answer.scale ?? scale).isWithin;
}

async function answerWithout(parts: ExamineParts, { output, row }: Difference, set: readonly Tried[]): Promise<Answer> {
  const leaveOuts = set.flatMap(({ leaveOut }) => leaveOut ?? []);
  const instead = set.flatMap((one) => one.instead ?? []);
  if (!set.some(({ isServedVersion }) => isServedVersion === true))
    return await parts.now.answer(output, row, leaveOuts, instead);
  const served = parts.served(output) as NonNullable<ReturnType<ExamineParts['served']>>;
  const theirs = leaveOuts.flatMap((one) => leaveOutsOf(parts, served.definition, one, row));
  return await served.definition.answer(served.output, row, theirs, []);
}

function isServed(set: readonly Tried[]): boolean {
  return set.some(({ isServedVersion }) => isServedVersion === true);
}

/** The same rows as another version of the definitions reads them: by where and when they are. */
function leaveOutsOf(parts: ExamineParts, other: Definition, leaveOut: LeaveOut, row: number): readonly LeaveOut[] {
  const at = other.plan.lookups.findIndex(({ label }) => label === leaveOut.label);
  const identify = ({ eventUs, createdUs, file, partition, offset }: Contribution) =>
    [eventUs, createdUs, file?.path, partition, offset].join(' ');
  const left = new Set([...leaveOut.rows].map(identify));
  const rows = new Set((other.rowsOf(at, row) ?? []).filter((one) => left.has(identify(one))));
  return parts.now === other ? [leaveOut] : [{ ...leaveOut, rows }];
}

async function listEliminations(parts: ExamineParts, { output, row, atUs, online }: Difference): Promise<readonly Tried[]> {
  const { now } = parts;
  const found: Tried[] = [];
  const lookups = new Set(now.featuresOf(output).map((at) => now.plan.features[at]?.lookup as number));
  for (const at of lookups) {
    const rows = now.rowsOf(at, row);
    const key = now.keyOf(at, row);
    if (rows === undefined || key === undefined) continue;
    const lookup = now.plan.lookups[at] as LookupPlan;
    const names = now.featuresOf(output).flatMap((one) => {
      const { lookup: of, feature } = now.plan.features[one] as ResolvedFeature;
      return of === at ? [feature.name] : [];
    });
    const redefined = names.flatMap((name) => parts.redefinedUs(lookup.view.name, name) ?? []).filter((us) => us <= atUs);
    const seen = {
      lookup,
      rows,
      erasedUs: parts.erasedUs(lookup, key),
      redefinedUs: redefined.toSorted((a, b) => (a < b ? 1 : -1))[0],
    };
    for (const known of parts.knownAt(lookup.label, row)) {
      for (const leaveOut of listLeaveOuts({ ...seen, known }, atUs))
        found.push({ cause: leaveOut.cause, text: leaveOut.text, leaveOut });
    }
  }
  const served = parts.served(output);
  if (served !== undefined) {
    const text = `version ${served.version} of the definitions was served`;
    found.push({ cause: 'definition_version', text, isServedVersion: true });
  }
  if (online.statuses[row] !== 0 || now.plan.outputs[output]?.kind === 'computed') {
    found.push(...(await listDefaults(now, output, atUs)));
  }
  return found;
}

/** Fitted defaults of earlier days that are another number than that of T's day, and none at all. */
async function listDefaults(now: Definition, output: number, atUs: bigint): Promise<readonly Tried[]> {
  const found: Tried[] = [];
  const today = dayOf(atUs);
  for (const feature of now.featuresOf(output)) {
    const given = (now.plan.features[feature] as ResolvedFeature).feature.default;
    if (given === undefined || 'literal' in given) continue;
    const cause = 'default_not_computed' as const;
    found.push({ cause, text: 'no fitted default was computed yet', instead: { feature, value: undefined } });
    for (let day = today - 1; day >= today - earlierDays; day--) {
      const text = `the fitted default of ${dayText(day)} was served, that of ${dayText(today)} was not computed yet`;
      found.push({ cause, text, instead: { feature, value: await now.fitted(feature, day) } });
    }
  }
  return found;
}

function dayText(day: number): string {
  return (showInstant(BigInt(day) * 86_400_000_000n) as string).slice(0, 10);
}

function explainLostRows({ now, lostRows }: ExamineParts, difference: Difference, offline: Answer['from']): Examined | undefined {
  const lost = findLostOf(now, difference, offline, lostRows);
  if (lost === undefined) return undefined;
  const text = `${lost.rows} rows of source "${lost.source}" were erased with other entities since ${showInstant(lost.sinceUs)}; what they held is not known`;
  return { cause: 'erased', causes: ['erased'], text, online: [], offline };
}

/** What a file held before it was written again is not known: where the winner's was after the answer or the run, that is all there is to say. */
function explainReplacedFile(
  parts: ExamineParts,
  { row, atUs, online }: Difference,
  whole: Answer,
  otherwise: Examined,
): Examined | undefined {
  for (const { lookup, rows } of whole.from) {
    const [winner] = rows;
    if (lookup.view.kind === 'stream' || winner?.file === undefined || winner.file.isArchived) continue;
    const { finishedUs, watermarkUs } = parts.knownAt(lookup.label, row)[0] ?? {};
    // No file held, when a run read it, what happened after the run's end.
    const servedUs = online.eventUs[row] ?? null;
    if (finishedUs !== undefined && watermarkUs != null && servedUs !== null && servedUs > watermarkUs) continue;
    const runUs = finishedUs ?? watermarkUs ?? atUs;
    const limitUs = runUs < atUs ? runUs : atUs;
    const { path, modifiedUs } = winner.file;
    if (modifiedUs === undefined || modifiedUs <= limitUs) continue;
    const text = `"${path}" was written again ${showInstant(modifiedUs)}, after the server read it; what it held before is not known`;
    const doubt = { rows: new Set<Contribution>(), isProofNeeded: false, otherwise };
    return { cause: 'correction', causes: ['correction'], text, online: [], offline: whole.from, doubt };
  }
  return undefined;
}
