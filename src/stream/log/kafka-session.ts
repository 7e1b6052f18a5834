/**
 * One membership of a consumer group, from joining to a break. Every partition rests until the reader has said where it begins, since
 * the client would begin by the group's own offsets after each rebalance, and at the log's start where an offset is out of range.
 */
import { asFeatureStoreError, FeatureStoreError } from '../../errors.ts';
import type { FetchedBatch, GroupMember, KafkaClient, MemberHandlers } from './kafka-client.ts';
import { lastingFailure } from './kafka-failure.ts';
import type { LogRange, LogReader } from './log.ts';
import type { Turns } from './turns.ts';

export interface KafkaSession {
  readonly client: KafkaClient;
  /** For messages. */
  readonly name: string;
  readonly reader: LogReader;
  /** By partition; outlives the session, so that no partition is taken twice at once. */
  readonly turns: Turns<number>;
  readonly signal: AbortSignal;
  readonly heartbeatMs: number;
  /** Told when all partitions of this member are read. */
  readonly onPlaced: () => void;
  /** Told the log's end with each batch that was taken. */
  readonly onTaken: (partition: number, end: bigint) => void;
}

/** How long the last record of a partition is waited for. */
const probeMs = 10_000;

/** Reads until aborted; rejects with the reader's failure, or with the client's. */
export async function readKafkaOnce(session: KafkaSession): Promise<void> {
  const { client, name, reader, turns, heartbeatMs } = session;
  const broken = new AbortController();
  const signal = AbortSignal.any([session.signal, broken.signal]);
  /** The offset that comes next, of partitions that are read. */
  const positions = new Map<number, bigint>();
  /** Who waits for the end of a partition, whose records are not to be taken until then. */
  const probes = new Map<number, (end: bigint) => void>();
  let assignment = 0;
  let failure: { readonly reason: unknown } | undefined;

  function fail(reason: unknown): void {
    if (signal.aborted) return;
    failure = { reason };
    broken.abort();
  }

  async function place(member: GroupMember, partitions: readonly number[]): Promise<void> {
    const generation = assignment;
    const ranges = await client.ranges();
    const placing = partitions.map((partition) =>
      turns.run(partition, async () => {
        if (generation !== assignment || signal.aborted) return;
        const offset = await openPartition(member, partition, ranges.get(partition));
        if (generation !== assignment || signal.aborted) return;
        positions.set(partition, offset);
        member.start(partition, offset);
      }),
    );
    await Promise.all(placing);
    session.onPlaced();
  }

  /**
   * Before a log is called shorter than the progress, its end is looked at in its records: whoever read the partition before may have
   * moved on since, and some brokers list an end that lies before that of their last batch.
   */
  async function openPartition(member: GroupMember, partition: number, range: LogRange | undefined): Promise<bigint> {
    try {
      return await openWithin(partition, range);
    } catch (first) {
      if (signal.aborted || lastingFailure(name, first) === undefined) throw first;
      const listed = (await client.ranges()).get(partition);
      if (listed === undefined) throw first;
      const seen = { first: listed.first, end: await probeEnd(member, partition, listed) };
      if (signal.aborted || (range?.first === seen.first && range.end === seen.end)) throw first;
      return await openWithin(partition, seen);
    }
  }

  /** The end as the log's last record shows it. */
  async function probeEnd(member: GroupMember, partition: number, listed: LogRange): Promise<bigint> {
    if (listed.end <= listed.first) return listed.end;
    let timer: NodeJS.Timeout | undefined;
    try {
      return await new Promise<bigint>((resolve) => {
        probes.set(partition, resolve);
        timer = setTimeout(() => resolve(listed.end), probeMs);
        signal.addEventListener('abort', () => resolve(listed.end), { once: true });
        member.start(partition, listed.end - 1n);
      });
    } finally {
      clearTimeout(timer);
      probes.delete(partition);
      member.rest(partition);
    }
  }

  async function openWithin(partition: number, range: LogRange | undefined): Promise<bigint> {
    if (range === undefined) throw new FeatureStoreError('UNAVAILABLE', `${name} does not have partition ${partition} any more`);
    const offset = await ofReader(reader.open(String(partition), range, signal));
    if (offset >= range.first && offset <= range.end) return offset;
    const has = `partition ${partition} of ${name} has offsets ${range.first} to ${range.end}`;
    throw new FeatureStoreError('DATA_LOSS', `${has}, and ${offset} was to be read`);
  }

  async function take(member: GroupMember, batch: FetchedBatch): Promise<boolean> {
    const { partition } = batch;
    const expected = positions.get(partition);
    if (expected === undefined || signal.aborted) return false;
    if (batch.from !== expected) {
      positions.delete(partition);
      member.rest(partition);
      place(member, [partition]).catch(fail);
      return false;
    }
    const beats = keepAlive(batch, heartbeatMs);
    try {
      const stop = AbortSignal.any([signal, beats.lost]);
      const records = ascending(batch);
      await ofReader(reader.take(String(partition), records, batch.end, stop));
      const taken = (records.at(-1)?.offset ?? batch.from - 1n) + 1n;
      if (batch.next > taken && batch.next === batch.end) await ofReader(reader.pass(String(partition), batch.next, stop));
    } catch (error) {
      if (!beats.lost.aborted) fail(error);
      return false;
    } finally {
      beats.stop();
    }
    positions.set(partition, batch.next);
    session.onTaken(partition, batch.end);
    // Nothing of ours depends on it, and a rebalance that is under way shows itself to the client besides.
    await member.commit(partition, batch.next).catch(() => {});
    return true;
  }

  const handlers: MemberHandlers = {
    joined(member, partitions) {
      assignment++;
      positions.clear();
      place(member, partitions).catch(fail);
    },
    async batch(member, batch) {
      const probe = probes.get(batch.partition);
      probe?.(batch.end);
      return probe === undefined && (await turns.run(batch.partition, () => take(member, batch)));
    },
    passed(partition, { from, next, end }) {
      probes.get(partition)?.(next);
      if (positions.get(partition) !== from) return;
      positions.set(partition, next);
      if (next !== end) return;
      const tell = async (): Promise<void> => {
        if (!signal.aborted && positions.get(partition) === next) await ofReader(reader.pass(String(partition), next, signal));
      };
      turns.run(partition, tell).catch(fail);
    },
  };
  try {
    await client.join(handlers, signal);
  } catch (reason) {
    if (failure === undefined || lastingFailure(name, failure.reason) === undefined) failure = { reason };
  } finally {
    broken.abort();
  }
  if (failure !== undefined) throw failure.reason;
}

/** What a reader throws is never taken for a failure of the client, which trying again may mend. */
async function ofReader<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    throw asFeatureStoreError(error);
  }
}

interface Beats {
  /** Aborted when the group goes on without us: somebody else may have the partition by now. */
  readonly lost: AbortSignal;
  stop(): void;
}

/** A group that begins anew waits for us to end what we carry out; one that has forgotten us does not. */
function keepAlive(batch: FetchedBatch, everyMs: number): Beats {
  const lost = new AbortController();
  const timer = setInterval(() => {
    batch.heartbeat().catch((error: { readonly type?: string }) => {
      if (error.type === 'UNKNOWN_MEMBER_ID' || error.type === 'ILLEGAL_GENERATION') lost.abort();
    });
  }, everyMs);
  return { lost: lost.signal, stop: () => clearInterval(timer) };
}

/** Brokers may send records again that stand in one batch with what was asked for. */
function ascending({ records, from }: FetchedBatch): FetchedBatch['records'] {
  let least = from;
  return records.filter(({ offset }) => {
    if (offset < least) return false;
    least = offset + 1n;
    return true;
  });
}
