/**
 * Events that a stream could not count, kept with their reason and their bytes until somebody has looked at them. A file is one batch of
 * one partition, named by when it was judged and by what it is of: a line of JSON about all of it, then one an event.
 */
import { createHash, randomUUID } from 'node:crypto';
import { mkdir, open, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { makeDurable } from './folder.ts';

export interface SetAsideEvent {
  readonly offset: bigint;
  readonly reason: string;
  readonly value: Uint8Array | null;
}

/** Events of one batch, which has the same boundaries and the same clock whoever carries it out. */
export interface SetAsideBatch {
  readonly partition: string;
  readonly from: bigint;
  readonly to: bigint;
  /** When it was judged. */
  readonly clockUs: bigint;
  readonly events: readonly SetAsideEvent[];
}

export interface SetAsideOptions {
  /** Most events that are shown. */
  readonly limit: number;
  readonly partition?: string;
  /** A part of the reason. */
  readonly reason?: string;
}

export interface ShownSetAside extends SetAsideEvent {
  readonly partition: string;
  readonly clockUs: bigint;
  /** Bytes that the value had; `value` may be the beginning of them, or null where its batch had too many. */
  readonly bytes: number;
}

export interface SetAsideReport {
  /** Newest first. */
  readonly events: readonly ShownSetAside[];
  /** All that are kept, the partition's where one is asked for. */
  readonly total: number;
  /** The same by reason, the 100 most frequent first: a reason names the value that it is about. */
  readonly counts: Readonly<Record<string, number>>;
  /** Events that were kept, and made room for newer ones. */
  readonly removed: number;
}

export interface SetAsideBounds {
  /** Bytes of a source's files; default 64 MiB. */
  readonly maxBytes?: number;
  /** Files of a source; default 10,000. */
  readonly maxFiles?: number;
  /** Bytes of one value, of which the rest is not kept; default 64 KiB. */
  readonly maxValueBytes?: number;
  /** Bytes of all values of a batch, of which the later ones are not kept; default 8 MiB. */
  readonly maxBatchBytes?: number;
}

export interface SetAside {
  /** Resolves when they are on the disk, once however often it is called for one batch; the oldest files go where there are too many. */
  keep(source: { readonly name: string }, batch: SetAsideBatch): Promise<void>;
  list(source: string, options: SetAsideOptions): Promise<SetAsideReport>;
  /** Removes all of a source: nobody can tell whom raw bytes mention (rule 8.4). Gives the number of files. */
  clear(source: string): Promise<number>;
}

interface Header {
  readonly partition: string;
  readonly clockUs: string;
  readonly counts: Readonly<Record<string, number>>;
}

interface Line {
  readonly offset: string;
  readonly reason: string;
  readonly bytes: number;
  /** base64 */
  readonly value: string | null;
}

const mebibyte = 1024 * 1024;
const mostReasons = 100;
const removedName = 'removed.json';

/** `directory` holds a folder for each source. */
export function openSetAside(directory: string, bounds: SetAsideBounds = {}): SetAside {
  const { maxBytes = 64 * mebibyte, maxFiles = 10_000, maxValueBytes = 64 * 1024, maxBatchBytes = 8 * mebibyte } = bounds;
  let turn: Promise<unknown> = Promise.resolve();
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const run = turn.then(work, work);
    turn = run.catch(() => {});
    return run;
  };

  async function keep(source: string, batch: SetAsideBatch): Promise<void> {
    const folder = join(directory, source);
    await mkdir(folder, { recursive: true });
    const name = nameOf(batch);
    if ((await listFiles(folder)).includes(name)) return;
    const draft = join(folder, `${name}.${randomUUID()}.draft`);
    try {
      await writeFile(draft, encodeBatch(batch, maxValueBytes, maxBatchBytes));
      await makeDurable(draft, join(folder, name), folder);
    } catch (error) {
      await rm(draft, { force: true });
      throw error;
    }
    await removeOldest(folder, maxBytes, maxFiles);
  }

  return {
    keep: (source, batch) => inTurn(() => keep(source.name, batch)),
    list: (source, options) => list(join(directory, source), options),
    clear: (source) =>
      inTurn(async () => {
        const folder = join(directory, source);
        const names = await listFiles(folder);
        for (const name of names) await rm(join(folder, name), { force: true });
        return names.length;
      }),
  };
}

/** Names sort by when their batch was judged. */
function nameOf({ partition, from, to, clockUs }: SetAsideBatch): string {
  const key = createHash('sha256')
    .update(JSON.stringify([partition, String(from), String(to)]))
    .digest('hex');
  return `${String(clockUs).padStart(20, '0')}-${key.slice(0, 32)}.jsonl`;
}

async function listFiles(folder: string): Promise<readonly string[]> {
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  return names.filter((name) => name.endsWith('.jsonl')).sort();
}

function encodeBatch({ partition, clockUs, events }: SetAsideBatch, maxValueBytes: number, maxBatchBytes: number): string {
  const header: Header = { partition, clockUs: String(clockUs), counts: countReasons(events.map(({ reason }) => reason)) };
  let left = maxBatchBytes;
  const lines = events.map(({ offset, reason, value }): Line => {
    const kept = value === null || left <= 0 ? null : value.subarray(0, maxValueBytes);
    left -= kept?.length ?? 0;
    return {
      ...{ offset: String(offset), reason, bytes: value?.length ?? 0 },
      value: kept === null ? null : Buffer.from(kept).toString('base64'),
    };
  });
  return [header, ...lines].map((line) => `${JSON.stringify(line)}\n`).join('');
}

/** A reason may well be called `__proto__`. */
function asRecord(entries: readonly (readonly [string, number])[]): Record<string, number> {
  const record: Record<string, number> = Object.create(null);
  for (const [name, value] of entries) record[name] = value;
  return record;
}

function countReasons(reasons: readonly string[]): Record<string, number> {
  const counts = asRecord([]);
  for (const reason of reasons) counts[reason] = (counts[reason] ?? 0) + 1;
  return counts;
}

async function removeOldest(folder: string, maxBytes: number, maxFiles: number): Promise<void> {
  const names = await listFiles(folder);
  const sizes = await Promise.all(
    names.map((name) =>
      stat(join(folder, name)).then(
        ({ size }) => size,
        () => 0,
      ),
    ),
  );
  let bytes = sizes.reduce((sum, size) => sum + size, 0);
  let count = names.length;
  let removed = 0;
  // The newest stays, whatever its size.
  for (let at = 0; at < names.length - 1 && (bytes > maxBytes || count > maxFiles); at++) {
    const path = join(folder, names[at] as string);
    const header = await readHeader(path);
    await rm(path, { force: true });
    removed += sumOf(header?.counts ?? {});
    bytes -= sizes[at] as number;
    count -= 1;
  }
  if (removed === 0) return;
  const draft = join(folder, `${removedName}.${randomUUID()}.draft`);
  await writeFile(draft, JSON.stringify({ events: (await readRemoved(folder)) + removed }));
  await makeDurable(draft, join(folder, removedName), folder);
}

function sumOf(counts: Header['counts']): number {
  return Object.values(counts).reduce((sum, count) => sum + count, 0);
}

async function readRemoved(folder: string): Promise<number> {
  const text = await readFile(join(folder, removedName), 'utf8').catch(() => undefined);
  return text === undefined ? 0 : (JSON.parse(text) as { events: number }).events;
}

/** The first line of a file; undefined for one that has gone. */
async function readHeader(path: string): Promise<Header | undefined> {
  const file = await open(path).catch(absent);
  if (file === undefined) return undefined;
  try {
    const parts: Buffer[] = [];
    for (;;) {
      const { bytesRead, buffer } = await file.read(Buffer.alloc(4096), 0, 4096);
      const end = buffer.indexOf(10);
      parts.push(buffer.subarray(0, end >= 0 ? end : bytesRead));
      if (end >= 0 || bytesRead === 0) return JSON.parse(Buffer.concat(parts).toString()) as Header;
    }
  } finally {
    await file.close();
  }
}

function absent(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error;
}

async function list(folder: string, { limit, partition, reason = '' }: SetAsideOptions): Promise<SetAsideReport> {
  const counts = asRecord([]);
  const events: ShownSetAside[] = [];
  for (const name of (await listFiles(folder)).toReversed()) {
    const header = await readHeader(join(folder, name));
    if (header === undefined || (partition !== undefined && header.partition !== partition)) continue;
    for (const [one, count] of Object.entries(header.counts)) counts[one] = (counts[one] ?? 0) + count;
    if (events.length >= limit || !Object.keys(header.counts).some((one) => one.includes(reason))) continue;
    events.push(...(await readEvents(join(folder, name), header, reason)).toReversed().slice(0, limit - events.length));
  }
  const most = Object.entries(counts).toSorted(([, a], [, b]) => b - a);
  const total = sumOf(counts);
  return { events, total, counts: asRecord(most.slice(0, mostReasons)), removed: await readRemoved(folder) };
}

async function readEvents(path: string, { partition, clockUs }: Header, reason: string): Promise<ShownSetAside[]> {
  const text = (await readFile(path, 'utf8').catch(absent)) ?? '';
  const lines = text.split('\n').slice(1, -1);
  const events = lines.map((line) => JSON.parse(line) as Line).filter((line) => line.reason.includes(reason));
  return events.map((line) => ({
    ...{ partition, clockUs: BigInt(clockUs), offset: BigInt(line.offset), reason: line.reason, bytes: line.bytes },
    value: line.value === null ? null : new Uint8Array(Buffer.from(line.value, 'base64')),
  }));
}
