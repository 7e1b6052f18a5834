/** What must not go because somebody has just read it: plan says so, and apply refuses it unless it is forced. */
import { FeatureStoreError } from '../errors.ts';
import { findLosses, type Loss, type ReadDocument } from './losses.ts';
import { instantOf, joinReaders, memberOf, type Readers, type Usage } from './usage-records.ts';

/** Something that was read within `recentDays`, and would go or change; as it travels in JSON. */
export interface RefusedLoss extends Omit<Loss, 'read'> {
  readonly last_read: string;
  /** Those of these days, the latest first. */
  readonly readers: Readers;
}

export const recentDays = 30;

/** Usage is read where there is something to lose, and nowhere else. */
export async function findRefused(
  before: ReadDocument | undefined,
  after: ReadDocument,
  readUsage: () => Promise<Usage>,
  nowMs = Date.now(),
): Promise<readonly RefusedLoss[]> {
  const losses = before === undefined ? [] : findLosses(before, after);
  if (losses.length === 0) return [];
  const usage = await readUsage();
  const since = instantOf(nowMs - recentDays * 86_400_000);
  return losses.flatMap(({ read, ...loss }) => {
    const recent = Object.entries(readersOf(usage, read)).filter(([, at]) => at >= since);
    const [latest] = recent;
    return latest === undefined ? [] : [{ ...loss, last_read: latest[1], readers: Object.fromEntries(recent) }];
  });
}

/** FAILED_PRECONDITION where anything is refused. */
export function checkRefused(refused: readonly RefusedLoss[]): void {
  if (refused.length === 0) return;
  throw new FeatureStoreError(
    'FAILED_PRECONDITION',
    `nothing was applied, for this was read in the last ${recentDays} days:\n${refused.map((loss) => `  ${describeRefused(loss)}`).join('\n')}\n` +
      'ask these readers, or apply all the same: apply --force, over HTTP and Flight {"force": true}',
    { details: { refused } },
  );
}

/** One line for people. */
export function describeRefused({ kind, name, change, readers }: RefusedLoss): string {
  const all = Object.entries(readers);
  const named = all.slice(0, 3).map(([reader, at]) => `${reader} (${at})`);
  const more = all.length > named.length ? ` and ${all.length - named.length} more` : '';
  return `${kind} ${name} ${change}; read by ${named.join(', ')}${more}`;
}

function readersOf(usage: Usage, read: Loss['read']): Readers {
  if ('service' in read) return joinReaders([usage.services.get(read.service) ?? {}]);
  const reads = usage.features.get(read.view) ?? {};
  return joinReaders(read.features.map((feature) => memberOf(reads, feature) ?? {}));
}
