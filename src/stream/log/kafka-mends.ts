/** What the client library does wrong and cannot be told otherwise, put right where it stands. */
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);

/**
 * An answer to leaving with two errors in it would be rejected twice by the library, once where nobody listens, which ends the process.
 * Whoever leaves has nothing to learn from either.
 */
const leaving = require('kafkajs/src/protocol/requests/leaveGroup/v3/response') as { parse: unknown };
leaving.parse = async (answer: unknown) => answer;

interface RequestQueue {
  readonly pending: readonly unknown[];
  scheduleCheckPendingRequests(): void;
}

/**
 * A connection where nothing waits would look for it every millisecond, after a time below zero, of which Node 24 warns. Whatever is to
 * wait asks for that look itself.
 */
const { prototype: queue } = require('kafkajs/src/network/requestQueue') as { prototype: RequestQueue };
const { scheduleCheckPendingRequests } = queue;
queue.scheduleCheckPendingRequests = function schedule(this: RequestQueue) {
  if (this.pending.length > 0) scheduleCheckPendingRequests.call(this);
};

interface FetchedRecords {
  readonly fetchedOffset: string | number;
  isEmptyDueToFiltering(): boolean;
  firstOffset(): string | null;
}

/**
 * Of records that hold nothing for readers the library tells the first that came, which may lie behind what was asked for: between them the
 * log holds nothing either, and only what was asked for says that nothing was left out.
 */
const { prototype: batch } = require('kafkajs/src/consumer/batch') as { prototype: FetchedRecords };
const { firstOffset } = batch;
batch.firstOffset = function first(this: FetchedRecords) {
  return this.isEmptyDueToFiltering() ? String(this.fetchedOffset) : firstOffset.call(this);
};
