/** The queries whose answers are streaming or wait for their turn, so that they can be cancelled by their ids. */
import { FeatureStoreError } from '../errors.ts';

export interface RunningQueries {
  /** One stream of a query, whose signal aborts when the query is cancelled; `end` must be called once. */
  begin(query: string): { readonly signal: AbortSignal; end(): void };
  /** Stops every stream of a query; false when there is none. */
  cancel(query: string): boolean;
}

export function createRunningQueries(): RunningQueries {
  /** By query, as a ticket may be redeemed more than once. */
  const running = new Map<string, Set<AbortController>>();

  return {
    begin(query) {
      const controller = new AbortController();
      const streams = running.get(query) ?? new Set();
      running.set(query, streams.add(controller));
      return {
        signal: controller.signal,
        end() {
          streams.delete(controller);
          if (streams.size === 0) running.delete(query);
        },
      };
    },
    cancel(query) {
      const reason = new FeatureStoreError('ABORTED', `query ${query} was cancelled`, { details: { query } });
      for (const stream of running.get(query) ?? []) stream.abort(reason);
      return running.has(query);
    },
  };
}
