/** Why two paths may disagree without a bug (section 9), and the search for the least that explains a difference. */

/** In the order in which they are tried: the first that explains a difference alone is its cause. */
export const causeNames = [
  'erased',
  'late_event',
  'processing_lag',
  'materialization_lag',
  'correction',
  'late_landing',
  'definition_version',
  'default_not_computed',
  'bug',
] as const;

export type CauseName = (typeof causeNames)[number];

/** Something that history knows now and the server did not, or had otherwise: without it history is asked once more. */
export interface Elimination {
  readonly cause: Exclude<CauseName, 'bug'>;
  /** What it is, for people. */
  readonly text: string;
}

/** More of them at once are no explanation any more. */
const mostAtOnce = 3;

/**
 * The least set of eliminations after which history says what was served, those of the first causes first; undefined where none does.
 * Of one cause at most one is in a set.
 */
export async function findExplanation<E extends Elimination>(
  eliminations: readonly E[],
  explains: (set: readonly E[]) => Promise<boolean>,
): Promise<readonly E[] | undefined> {
  const ordered = eliminations.toSorted((a, b) => causeNames.indexOf(a.cause) - causeNames.indexOf(b.cause));
  for (let size = 1; size <= mostAtOnce; size++) {
    for (const set of subsets(ordered, size)) if (await explains(set)) return set;
  }
  return undefined;
}

function* subsets<E extends Elimination>(ordered: readonly E[], size: number, from = 0): Generator<readonly E[]> {
  if (size === 0) {
    yield [];
    return;
  }
  for (let at = from; at < ordered.length; at++) {
    const first = ordered[at] as E;
    for (const rest of subsets(ordered, size - 1, at + 1)) {
      if (rest.every(({ cause }) => cause !== first.cause)) yield [first, ...rest];
    }
  }
}
