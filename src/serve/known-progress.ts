/** How far views are, in event time, as this process knew it last: looked up once a second, so that no request asks for it. */
import { readWatermarks } from '../materialize/view-state.ts';
import type { OnlineRecords } from '../online/records.ts';
import type { RegistryDocument, ViewDocument } from '../registry/document.ts';
import { openProgress } from '../stream/progress.ts';

export interface KnownProgress {
  /**
   * Of a batch view up to when it is materialized, of a stream view the least over partitions of the greatest event time that was applied,
   * in microseconds; null where nothing is known.
   */
  progressUs(view: string): bigint | null;
  /** Looks now: something was written. */
  load(): Promise<void>;
  close(): void;
}

export interface KnownProgressOptions {
  readonly records: OnlineRecords;
  readonly registry: () => RegistryDocument;
  /** Default a second. */
  readonly everyMs?: number;
}

/** Starts; while the store is away what was known stays. */
export function createKnownProgress({ records, registry, everyMs = 1000 }: KnownProgressOptions): KnownProgress {
  const closed = new AbortController();
  let known: ReadonlyMap<string, bigint> = new Map();
  let timer: NodeJS.Timeout | undefined;

  async function load(): Promise<void> {
    const { views } = registry();
    const found = await Promise.all([readBatchViews(views), readStreamViews(views)]);
    known = new Map(found.flat());
  }

  async function readBatchViews(views: readonly ViewDocument[]): Promise<(readonly [string, bigint])[]> {
    const names = views.filter(({ kind }) => kind === 'batch').map(({ name }) => name);
    const marks = names.length === 0 ? [] : await readWatermarks(records, names, closed.signal);
    return names.flatMap((name, at) => {
      const endUs = marks[at]?.endUs;
      return endUs === undefined ? [] : [[name, endUs] as const];
    });
  }

  async function readStreamViews(views: readonly ViewDocument[]): Promise<(readonly [string, bigint])[]> {
    const streamed = views.filter(({ kind }) => kind === 'stream');
    const sources = [...new Set(streamed.map(({ source }) => source))];
    const least = await Promise.all(sources.map(readLeast));
    return streamed.flatMap(({ name, source }) => {
      const us = least[sources.indexOf(source)];
      return us === undefined ? [] : [[name, us] as const];
    });
  }

  /** Partitions to which no event ever came hold nothing back. */
  async function readLeast(source: string): Promise<bigint | undefined> {
    let least: bigint | undefined;
    for (const { maxEventUs } of (await openProgress(records, source).readAll(closed.signal)).values()) {
      if (maxEventUs !== undefined && (least === undefined || maxEventUs < least)) least = maxEventUs;
    }
    return least;
  }

  async function repeat(): Promise<void> {
    await load().catch(() => {});
    if (!closed.signal.aborted) timer = setTimeout(() => void repeat(), everyMs).unref();
  }

  void repeat();
  return {
    progressUs: (view) => known.get(view) ?? null,
    load: () => load().catch(() => {}),
    close() {
      closed.abort();
      clearTimeout(timer);
    },
  };
}
