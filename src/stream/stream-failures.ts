/** Why a stream stands still, and what to do about it. */
import { FeatureStoreError } from '../errors.ts';

export function shorterLog(source: string, partition: string, next: bigint, end: bigint): FeatureStoreError {
  return new FeatureStoreError(
    'FAILED_PRECONDITION',
    `source "${source}": its log is shorter than what was read of it: partition "${partition}" ends at ${end}, and ${next} is next; it was recreated or has lost records. Run: featherflight source reset ${source} --from earliest`,
    { details: { source, partition, next: String(next), end: String(end) } },
  );
}

export function lostRecords(source: string, partition: string, next: bigint, first: bigint): FeatureStoreError {
  return new FeatureStoreError(
    'FAILED_PRECONDITION',
    `source "${source}": records of partition "${partition}" from ${next} to ${first - 1n} are gone before they were read: the log keeps them too short. Run: featherflight source reset ${source} --from ${partition}=${first}`,
    { details: { source, partition, next: String(next), first: String(first) } },
  );
}

export function wasReset(source: string): FeatureStoreError {
  return new FeatureStoreError('ABORTED', `source "${source}" was reset while its events were applied`, { details: { source } });
}

export function taken(source: string, partition: string): FeatureStoreError {
  return new FeatureStoreError('ABORTED', `a batch of source "${source}", partition "${partition}", was taken over by others`, {
    details: { source, partition, reason: 'taken' },
  });
}

export function isTaken(error: unknown): boolean {
  return error instanceof FeatureStoreError && error.details.reason === 'taken';
}

export function otherDefinitions(source: string, view: string, feature: string): FeatureStoreError {
  return new FeatureStoreError(
    'FAILED_PRECONDITION',
    `feature "${view}:${feature}" is computed under another definition in this online store than is applied here; apply the same definitions everywhere`,
    { details: { source, view, feature } },
  );
}
