/** Reads the audit log: the newest acts first, page by page, of all who write to the same storage. */
import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { parseInstantUs } from '../definitions/literal.ts';
import { listDayFiles } from './day-files.ts';
import type { AuditEntry } from './entry.ts';
import type { AuditQuery } from './query.ts';

/** Lines of a file that are none: a process died while it wrote one, or somebody changed the file. */
export interface DamagedFile {
  readonly file: string;
  readonly lines: number;
}

export interface AuditPage {
  readonly entries: readonly AuditEntry[];
  /** What `before` asks for the next page; null where this is the last. */
  readonly next: string | null;
  /** Of the files that were read. */
  readonly damaged: readonly DamagedFile[];
}

/** `isRunning` knows the acts that the reading process does itself. */
export async function readAudit(
  directory: string,
  query: AuditQuery,
  isRunning: (id: string) => boolean = () => false,
): Promise<AuditPage> {
  const isAsked = compileFilter(query);
  const newest = keepNewest(query.limit + 1);
  const damaged: DamagedFile[] = [];
  const files = (await listDayFiles(directory)).filter(({ day }) => isDayAsked(day, query));
  for (const day of new Set(files.map((file) => file.day))) {
    for (const { name } of files.filter((file) => file.day === day)) {
      const lines = await readFile(join(directory, name), isRunning, (entry) => {
        if (isAsked(entry)) newest.add(entry);
      });
      if (lines > 0) damaged.push({ file: name, lines });
    }
    if (newest.isFull()) break;
  }
  const found = newest.take();
  const entries = found.slice(0, query.limit);
  return { entries, next: found.length > entries.length ? (entries.at(-1)?.id ?? null) : null, damaged };
}

type Line = AuditEntry & { readonly begun?: true };

/** Gives each act once, as its end tells it where that is written; resolves with how many lines are none. */
async function readFile(path: string, isRunning: (id: string) => boolean, tell: (entry: AuditEntry) => void): Promise<number> {
  const open = new Map<string, Line>();
  let damaged = 0;
  const stream = createReadStream(path);
  // One that is removed meanwhile was too old.
  const ended = new Promise<void>((resolve, reject) => {
    stream.once('error', (error: NodeJS.ErrnoException) => (error.code === 'ENOENT' ? resolve() : reject(error)));
    stream.once('close', resolve);
  });
  const lines = createInterface({ input: stream, crlfDelay: Number.POSITIVE_INFINITY });
  lines.on('line', (text) => {
    if (text === '') return;
    const line = parseLine(text);
    if (line === undefined) damaged += 1;
    else if (line.begun) open.set(line.id, line);
    else {
      open.delete(line.id);
      tell(line);
    }
  });
  const closed = new Promise<void>((resolve) => lines.once('close', resolve));
  await Promise.all([ended, closed]);
  for (const { begun: _, ...entry } of open.values()) tell({ ...entry, outcome: isRunning(entry.id) ? 'running' : 'unfinished' });
  return damaged;
}

function parseLine(text: string): Line | undefined {
  try {
    const line = JSON.parse(text) as Partial<Line> | null;
    const isWhole = typeof line?.id === 'string' && typeof line.at === 'string' && Array.isArray(line.names);
    return isWhole ? (line as Line) : undefined;
  } catch {
    return undefined;
  }
}

function compileFilter({ from, to, action, caller, name, before }: AuditQuery): (entry: AuditEntry) => boolean {
  const fromUs = from === undefined ? undefined : parseInstantUs(from);
  const toUs = to === undefined ? undefined : parseInstantUs(to);
  return (entry) => {
    if (before !== undefined && entry.id >= before) return false;
    if (action !== undefined && entry.action !== action) return false;
    if (caller !== undefined && ![entry.caller, entry.token, entry.user].includes(caller)) return false;
    if (name !== undefined && !entry.names.includes(name)) return false;
    if (fromUs === undefined && toUs === undefined) return true;
    const us = BigInt(Date.parse(entry.at)) * 1000n;
    return (fromUs === undefined || us >= fromUs) && (toUs === undefined || us < toUs);
  };
}

/** Days are looked at whole: which of their acts are asked for, the acts say. */
function isDayAsked(day: string, { from, to, before }: AuditQuery): boolean {
  const startUs = BigInt(Date.parse(`${day}T00:00:00Z`)) * 1000n;
  if (to !== undefined && startUs >= parseInstantUs(to)) return false;
  if (before !== undefined && day.replaceAll('-', '') > before.slice(0, 8)) return false;
  return from === undefined || startUs + 86_400_000_000n > parseInstantUs(from);
}

/** The newest few of what is added, however much that is. */
function keepNewest(count: number): { add(entry: AuditEntry): void; isFull(): boolean; take(): readonly AuditEntry[] } {
  let kept: AuditEntry[] = [];
  const cut = () => {
    kept = kept.sort((a, b) => (a.id < b.id ? 1 : a.id > b.id ? -1 : 0)).slice(0, count);
    return kept;
  };
  return {
    add(entry) {
      kept.push(entry);
      if (kept.length > 2 * count + 1000) cut();
    },
    isFull: () => kept.length >= count,
    take: cut,
  };
}
