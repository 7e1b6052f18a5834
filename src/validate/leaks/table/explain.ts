/** Which hypothesis says best why rows differ, and what each of them therefore is: by numbers of rows alone. */

export interface Candidate {
  readonly kind: 'leak' | 'stale' | 'other';
  /** By differing row: 1 where it gives the row's value. */
  readonly matches: Uint8Array;
}

export type RowVerdict = 'leak' | 'stale' | 'other';

export interface Explanation {
  /** Position of the one that explains most; undefined where none explains anything. */
  readonly best: number | undefined;
  readonly rows: readonly RowVerdict[];
}

/**
 * Of equally good candidates the earlier one is taken, so innocent ones stand first. A leak is found where one explains nearly all rows,
 * or half of them and clearly more than any innocent one does: few values make all of them match some rows by chance.
 */
export function explainRows(differing: number, candidates: readonly Candidate[]): Explanation {
  const counts = candidates.map(({ matches }) => matches.reduce((sum, match) => sum + match, 0));
  const bestOf = (isWanted: (kind: Candidate['kind']) => boolean): number | undefined => {
    let best: number | undefined;
    for (const [at, { kind }] of candidates.entries()) {
      if (!isWanted(kind) || counts[at] === 0) continue;
      if (best === undefined || (counts[at] as number) > (counts[best] as number)) best = at;
    }
    return best;
  };
  const countOf = (at: number | undefined) => (at === undefined ? 0 : (counts[at] as number));
  const leak = bestOf((kind) => kind === 'leak');
  const innocent = bestOf((kind) => kind !== 'leak');
  const isLeak = isConvincing(countOf(leak), countOf(innocent), differing);
  const best = isLeak ? leak : isExplained(countOf(innocent), differing) ? innocent : undefined;
  const rows: RowVerdict[] = [];
  for (let row = 0; row < differing; row++) rows.push(judgeRow(candidates, best, isLeak, row));
  return { best, rows };
}

function isConvincing(leak: number, innocent: number, of: number): boolean {
  return leak > innocent && (leak >= 0.95 * of || (leak >= 0.5 * of && leak >= 1.5 * innocent));
}

function isExplained(count: number, of: number): boolean {
  return of > 0 && count >= 0.5 * of;
}

/** What the best one does not explain is a leak only beside a leak, and only where nothing innocent gives its value. */
function judgeRow(candidates: readonly Candidate[], best: number | undefined, isLeak: boolean, row: number): RowVerdict {
  const chosen = best === undefined ? undefined : candidates[best];
  if (chosen?.matches[row] === 1) return chosen.kind;
  if (best === undefined) return 'other';
  const matching = candidates.filter(({ matches }) => matches[row] === 1);
  if (matching.some(({ kind }) => kind === 'stale')) return 'stale';
  return isLeak && matching.some(({ kind }) => kind === 'leak') ? 'leak' : 'other';
}
