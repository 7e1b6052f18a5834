/**
 * The files of the audit log: `storage/audit/2026-03-10-WRITER.jsonl` holds the acts that began on that UTC day, a line of JSON each, of one
 * writer, which is one state directory. A line is added and never changed. An act that takes its time has two lines of the same id: one
 * with `"begun": true`, and the whole one at its end, also where that is another day.
 */
import { type FileHandle, mkdir, open, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';

export interface DayFile {
  readonly name: string;
  readonly day: string;
}

export interface DayWriter {
  /** Adds lines to the file of a day; on disk when it resolves where they are to be durable. */
  append(day: string, lines: readonly string[], isDurable: boolean): Promise<void>;
}

const pattern = /^(\d{4}-\d{2}-\d{2})-[0-9a-f]{12}\.jsonl$/;

/** A writer of its own files: no other process may have the same id at the same time. */
export function createDayWriter(directory: string, writer: string): DayWriter {
  /** Files whose last line is known to be whole. */
  const whole = new Set<string>();
  let turn: Promise<unknown> = Promise.resolve();

  async function write(day: string, lines: readonly string[], isDurable: boolean): Promise<void> {
    const name = `${day}-${writer}.jsonl`;
    await mkdir(directory, { recursive: true });
    const file = await open(join(directory, name), 'a+');
    try {
      const { size } = await file.stat();
      const isTorn = !whole.has(name) && size > 0 && !(await endsWithNewline(file, size));
      whole.delete(name);
      await file.appendFile(`${isTorn ? '\n' : ''}${lines.map((line) => `${line}\n`).join('')}`);
      whole.add(name);
      if (!isDurable) return;
      await file.sync();
      if (size === 0) await syncDirectories(directory);
    } finally {
      await file.close();
    }
  }

  return {
    append(day, lines, isDurable) {
      const run = turn.then(() => write(day, lines, isDurable));
      turn = run.catch(() => {});
      return run;
    },
  };
}

/** The files there are, the latest day first; none where nothing was ever written. */
export async function listDayFiles(directory: string): Promise<readonly DayFile[]> {
  const names = await readdir(directory).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  const files = names.flatMap((name) => {
    const day = pattern.exec(name)?.[1];
    return day === undefined ? [] : [{ name, day }];
  });
  return files.sort((a, b) => (a.name < b.name ? 1 : -1));
}

/** Removes the files of days before one, whoever wrote them. */
export async function removeDaysBefore(directory: string, day: string): Promise<readonly string[]> {
  const old = (await listDayFiles(directory)).filter((file) => file.day < day).map(({ name }) => name);
  for (const name of old) await rm(join(directory, name), { force: true });
  return old;
}

async function endsWithNewline(file: FileHandle, size: number): Promise<boolean> {
  const { buffer } = await file.read(Buffer.alloc(1), 0, 1, size - 1);
  return buffer[0] === 0x0a;
}

/** A new file is there after a loss of power when its folder, and the folder of that, say so. */
async function syncDirectories(directory: string): Promise<void> {
  for (const path of [directory, join(directory, '..')]) {
    const folder = await open(path, 'r');
    await folder.sync().finally(() => folder.close());
  }
}
