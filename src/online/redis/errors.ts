/** What Redis, or the way to it, says is wrong, as an error of ours; nothing of a command's arguments gets into it. */
import { asFeatureStoreError, FeatureStoreError } from '../../errors.ts';

/** The first word of an error reply, which is its code; undefined when the failure is the connection's. */
export function replyCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || error.name !== 'ReplyError') return undefined;
  return error.message.split(' ', 1)[0];
}

/** Replies that say that the server cannot answer now, with what that means. */
const passing: Readonly<Record<string, string>> = {
  READONLY: 'takes no writes, since it is a replica; name its master, or use Sentinel or Cluster',
  LOADING: 'is loading its data; it answers when that is done',
  MASTERDOWN: 'is a replica that has lost its master',
  CLUSTERDOWN: 'has slots that no node serves; it answers when the Cluster is whole again',
  TRYAGAIN: 'is moving these keys to another node; ask again',
  MOVED: 'says that other nodes have these keys; ask again, or name it as redis({ cluster }) if it is a Cluster',
  ASK: 'says that other nodes have these keys; ask again, or name it as redis({ cluster }) if it is a Cluster',
  BUSY: 'is busy with a script',
  MISCONF: 'takes no writes, since it cannot save its data to disk; see its log',
  NOREPLICAS: 'takes no writes, since too few of its replicas are there',
};

const misconfigured: Readonly<Record<string, string>> = {
  NOAUTH: 'asks for a password; set it in redis({ url }) or redis({ password })',
  WRONGPASS: 'refuses the user or the password of redis({…})',
  NOPERM: 'does not let the user of redis({…}) do what the store needs; see the permissions in docs/reference/redis.md',
};

/** An error reply or a lost connection, named after the store. */
export function storeError(error: unknown, store: string): FeatureStoreError {
  if (error instanceof FeatureStoreError) return error;
  const code = replyCode(error);
  if (error instanceof TypeError || error instanceof RangeError) return asFeatureStoreError(error);
  if (code === undefined) return unreachable(store, reasonOf(error));
  const details = { reply: code };
  if (code === 'OOM') {
    const message = `${store} is out of memory: give it a greater maxmemory, or store fewer views in it; nothing more is written until then`;
    return new FeatureStoreError('RESOURCE_EXHAUSTED', message, { details });
  }
  const meaning = passing[code] ?? misconfigured[code];
  if (meaning !== undefined) return new FeatureStoreError('UNAVAILABLE', `${store} ${meaning}`, { details });
  return new FeatureStoreError('INTERNAL', `${store} refuses a command: ${(error as Error).message}`, { details });
}

/** ioredis speaks of its options where commands were on their way when the connection broke. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return ['MaxRetriesPerRequestError', 'AbortError'].includes(error.name) ? 'the connection was lost' : error.message;
}

/** The store cannot be reached, or has been lost while it was asked. */
export function unreachable(store: string, why: string): FeatureStoreError {
  const message = `${store} is unreachable (${why}); it is tried again by itself`;
  return new FeatureStoreError('UNAVAILABLE', message, { details: { reason: 'unreachable' } });
}

export function unanswered(store: string, milliseconds: number): FeatureStoreError {
  const message = `${store} has not answered within ${milliseconds} ms (commandTimeoutMs of redis({…})); it is tried again by itself`;
  return new FeatureStoreError('UNAVAILABLE', message, { details: { reason: 'timeout', timeoutMs: milliseconds } });
}
