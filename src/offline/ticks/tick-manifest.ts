/**
 * What the merged files of an SQL source's folder hold, and since when other files are replaced: `ticks.json`, which is replaced as a whole.
 * A tick that a merged file holds counts there and nowhere else, whatever files of its own it has. So one replacement of the manifest moves
 * ticks into a merged file, or one out of it, at one instant.
 */
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { FeatureStoreError } from '../../errors.ts';
import { draftName, makeDurable } from '../archive/folder.ts';
import { createVersionedReader } from '../versioned-file.ts';

export interface TickManifest {
  /** Name of a merged file -> the ticks that it holds, in microseconds. */
  readonly merged: ReadonlyMap<string, ReadonlySet<bigint>>;
  /** Name of a file that counts no longer -> milliseconds since the epoch when it was replaced. */
  readonly replaced: ReadonlyMap<string, number>;
}

export interface Replacement {
  /** Files that count now, and do no longer. */
  readonly gone: readonly string[];
  /** A merged file that is whole on the disk, and the ticks that it holds. */
  readonly added?: { readonly name: string; readonly ticks: Iterable<bigint> };
}

const manifestName = 'ticks.json';

/** `[first, step, count]`: ticks follow each other, and a year of minutes is three numbers. */
type Span = readonly [first: string, step: string, count: number];

interface Written {
  readonly merged: Readonly<Record<string, readonly Span[]>>;
  readonly replaced: Readonly<Record<string, number>>;
}

const read = createVersionedReader<TickManifest>({ merged: new Map(), replaced: new Map() }, (text) => {
  const { merged, replaced } = JSON.parse(text) as Written;
  const entries = Object.entries(merged).map(([name, spans]) => [name, new Set(spans.flatMap(decodeSpan))] as const);
  return { merged: new Map(entries), replaced: new Map(Object.entries(replaced)) };
});

export function readTickManifest(folder: string): Promise<TickManifest> {
  return read(join(folder, manifestName));
}

/** The merged file that holds a tick. */
export function holderOf({ merged }: TickManifest, tickUs: bigint): string | undefined {
  for (const [name, ticks] of merged) if (ticks.has(tickUs)) return name;
  return undefined;
}

/**
 * Lets files count no longer, and a merged one instead, at one instant. For whoever alone changes the folder; ABORTED where somebody has
 * changed it all the same since `manifest` was read, as after a process slept through the end of its lock.
 */
export async function replaceInManifest(folder: string, manifest: TickManifest, { gone, added }: Replacement): Promise<void> {
  const there = new Set(await readdir(folder));
  const isAsRead = (await readTickManifest(folder)) === manifest;
  if (!isAsRead || !gone.every((name) => there.has(name)) || (added !== undefined && !there.has(added.name))) {
    throw new FeatureStoreError('ABORTED', `files of ${folder} were replaced by another process meanwhile`);
  }
  const merged = new Map([...manifest.merged].filter(([name]) => !gone.includes(name)));
  if (added !== undefined) merged.set(added.name, new Set(added.ticks));
  const kept = [...manifest.replaced].filter(([name]) => there.has(name));
  const now = Date.now();
  const written: Written = {
    merged: Object.fromEntries([...merged].map(([name, ticks]) => [name, encodeSpans(ticks)])),
    replaced: Object.fromEntries([...kept, ...gone.map((name) => [name, now] as const)]),
  };
  const draft = join(folder, draftName(manifestName));
  await writeFile(draft, JSON.stringify(written));
  await makeDurable(draft, join(folder, manifestName), folder);
}

function encodeSpans(ticks: Iterable<bigint>): Span[] {
  const spans: { first: bigint; step: bigint; last: bigint; count: number }[] = [];
  for (const tick of [...ticks].sort((a, b) => (a < b ? -1 : 1))) {
    const span = spans.at(-1);
    if (span !== undefined && (span.count === 1 || tick - span.last === span.step)) {
      span.step = tick - span.last;
      span.last = tick;
      span.count += 1;
    } else spans.push({ first: tick, step: 0n, last: tick, count: 1 });
  }
  return spans.map(({ first, step, count }) => [String(first), String(step), count]);
}

function decodeSpan([first, step, count]: Span): bigint[] {
  return Array.from({ length: count }, (_, at) => BigInt(first) + BigInt(step) * BigInt(at));
}
