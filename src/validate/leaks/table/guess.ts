/** What each hypothesis gives for rows that differ. */
import type { Column } from '../../../arrow/column.ts';
import { type FrameBatch, readFrame } from '../../../offline/answer/answer.ts';
import { type Instants, instantAt, splitUs } from '../../../offline/instants.ts';
import type { LookupPlan, RetrievalPlan } from '../../../offline/plan.ts';
import { type Ask, answerSample, planSample, type SampleAnswer } from '../answer-sample.ts';
import type { Sample } from '../sample.ts';
import type { Candidate } from './explain.ts';
import { concernsView, type Hypothesis, redefine } from './hypotheses.ts';
import { type FoundRow, findRowsOfKey } from './rows-of-key.ts';

export interface Guess {
  readonly kind: Candidate['kind'];
  /** Completes "equal to …". */
  readonly text: string;
  /** By feature asked for; undefined where the hypothesis says nothing of it. */
  readonly answers: readonly (SampleAnswer | undefined)[];
  /** By row, how far after T what is needed reaches, in microseconds. */
  readonly reachUs: readonly bigint[];
}

/** The values under one hypothesis; of features that are computed on demand none, as their transform reads T as well. */
export async function guessValues(
  ask: Ask,
  plan: RetrievalPlan,
  part: Sample,
  hypothesis: Hypothesis,
  endUs: bigint,
): Promise<Guess> {
  const { kind, text, definition } = hypothesis;
  const concerned = [...ask.features.keys()].filter((at) => {
    const lookup = lookupOf(plan, at);
    return lookup !== undefined && concernsView(lookup.view, definition);
  });
  const times = moveInstants(part.times, hypothesis.at);
  const answers: (SampleAnswer | undefined)[] = ask.features.map(() => undefined);
  if (concerned.length > 0) {
    const registry = redefine(ask.registry, definition);
    const features = concerned.map((at) => ask.features[at] as string);
    const found = await answerSample(
      { ...ask, registry, features, keys: keysOfViews(ask, plan, concerned), asKnown: false },
      part,
      times,
    );
    for (const [place, at] of concerned.entries()) answers[at] = found[place];
  }
  const reachUs = Array.from({ length: part.length }, (_, row) => {
    const us = instantAt(part.times, row);
    const asked = instantAt(times, row);
    return (asked > endUs && endUs > us ? endUs : asked) - us;
  });
  return { kind, text, answers, reachUs };
}

/** The next and the nearest row of a key, where a table was joined by those. */
export async function guessAround(ask: Ask, part: Sample): Promise<readonly Guess[]> {
  const { plan, columns } = planSample(ask, part);
  const prepared = await ask.history.prepare(plan, ask.signal);
  try {
    const batch: FrameBatch = { columns, length: part.length, plain: (index) => columns[index] as Column };
    const { keys, times } = readFrame(plan, batch, 0);
    const guesses: Guess[] = [];
    for (const [index, lookup] of plan.lookups.entries()) {
      if (lookup.view.kind !== 'batch') continue;
      const wanted = [...ask.features.keys()].filter((at) => lookupOf(plan, at) === lookup);
      const features = wanted.map((at) => lookup.view.features.findIndex(({ name }) => name === featureName(plan, at)));
      const { next, nearest } = await findRowsOfKey(prepared, index, keys[index] as (typeof keys)[number], times, features);
      const asGuess = (text: string, rows: readonly (FoundRow | undefined)[]): Guess => ({
        kind: 'leak',
        text,
        answers: ask.features.map((_, at) => {
          const place = wanted.indexOf(at);
          if (place < 0) return undefined;
          // A row that is not there gives nothing, not even null.
          return { values: rows.map((row) => (row === undefined ? noRow : row.values[place])), isDefault: [] };
        }),
        reachUs: rows.map((row) => row?.reachUs ?? 0n),
      });
      guesses.push(
        asGuess('the row of its key that comes next after T', next),
        asGuess('the row of its key nearest to T', nearest),
      );
    }
    return guesses;
  } finally {
    prepared.release();
  }
}

/** Equal to no value of a column. */
const noRow = Symbol('no row');

/** The look-up of a feature asked for; undefined where it is computed on demand. */
export function lookupOf(plan: RetrievalPlan, at: number): LookupPlan | undefined {
  const output = plan.outputs[at] as RetrievalPlan['outputs'][number];
  return output.kind === 'feature' ? plan.lookups[plan.features[output.feature]?.lookup ?? -1] : undefined;
}

function featureName(plan: RetrievalPlan, at: number): string | undefined {
  const output = plan.outputs[at] as RetrievalPlan['outputs'][number];
  return output.kind === 'feature' ? plan.features[output.feature]?.feature.name : undefined;
}

/** A request may not name keys of views that it does not read. */
function keysOfViews({ keys }: Ask, plan: RetrievalPlan, features: readonly number[]): Ask['keys'] {
  const labels = new Set(features.map((at) => lookupOf(plan, at)?.label));
  return Object.fromEntries(Object.entries(keys).filter(([label]) => labels.has(label)));
}

function moveInstants(times: Instants, at: (us: bigint) => bigint): Instants {
  const words = new Int32Array(times.words.length);
  for (let row = 0; row < times.length; row++) {
    if (times.nulls?.[row] === 1) continue;
    const { low, high } = splitUs(at(instantAt(times, row)));
    words[2 * row] = low | 0;
    words[2 * row + 1] = high;
  }
  return { ...times, words };
}
