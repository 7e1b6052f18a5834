/** The lines that a process writes to the audit log, and the days that are forgotten. */
import type { Logger } from '../observe.ts';
import { createDayWriter, removeDaysBefore } from './day-files.ts';

export interface AuditLog {
  /** On disk when it resolves, where it is to be durable. */
  write<T extends Line>(line: T, isDurable: boolean): Promise<void>;
  /** The same of lines that can wait: those that cannot be written now go with the next. */
  writeLater(lines: readonly Line[]): Promise<void>;
  /** Lines of `writeLater` that are not written yet. */
  readonly waiting: () => number;
}

export interface AuditLogOptions {
  readonly directory: string;
  /** Of this process alone. */
  readonly writer: string;
  readonly keepDays: number;
  readonly logger: Logger;
  nowMs(): number;
}

interface Line {
  /** Says into which day's file it goes. */
  readonly at: string;
}

const dayMs = 86_400_000;
const mostWaiting = 10_000;

export function openLog({ directory, writer, keepDays, logger, nowMs }: AuditLogOptions): AuditLog {
  const files = createDayWriter(directory, writer);
  let waiting: Line[] = [];
  let keptSince = '';

  /** Once a day, with the first line. */
  async function forget(): Promise<void> {
    const since = dayOf(new Date(nowMs() - keepDays * dayMs).toISOString());
    if (since === keptSince) return;
    keptSince = since;
    try {
      const removed = await removeDaysBefore(directory, since);
      if (removed.length > 0) logger.info({ removed }, 'old days of the audit log were removed');
    } catch (error) {
      logger.warn({ error: String(error) }, 'old days of the audit log could not be removed');
    }
  }

  async function write(day: string, lines: readonly Line[], isDurable: boolean): Promise<void> {
    await forget();
    await files.append(
      day,
      lines.map((line) => JSON.stringify(line)),
      isDurable,
    );
  }

  return {
    waiting: () => waiting.length,
    write: (line, isDurable) => write(dayOf(line.at), [line], isDurable),
    async writeLater(lines) {
      const all = [...waiting, ...lines];
      waiting = [];
      for (const day of new Set(all.map(({ at }) => dayOf(at)))) {
        const own = all.filter(({ at }) => dayOf(at) === day);
        try {
          await write(day, own, false);
        } catch (error) {
          waiting = [...waiting, ...own].slice(-mostWaiting);
          logger.error({ error: String(error), waiting: waiting.length }, 'the audit log cannot be written; counts wait');
        }
      }
    },
  };
}

function dayOf(at: string): string {
  return at.slice(0, 10);
}
