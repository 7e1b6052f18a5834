/** The audit log of a process: every act that changes something has its line before it is acknowledged. */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { asFeatureStoreError, FeatureStoreError } from '../errors.ts';
import type { Logger } from '../observe.ts';
import type { Actor } from './actor.ts';
import { type AuditAction, type AuditEntry, isRefusal } from './entry.ts';
import { openLog } from './log.ts';
import { createIds, createNewEntry, shortNames } from './new-entry.ts';
import type { AuditQuery } from './query.ts';
import { type AuditPage, readAudit } from './read.ts';
import { type CountedAct, createTally } from './tally.ts';

export interface Act<T> {
  readonly action: AuditAction;
  /** What it concerns, and how, as far as that is known before. */
  readonly names: readonly string[];
  readonly details?: Readonly<Record<string, unknown>>;
  /** What came of it. */
  tell(result: T): Told;
  /** Done because it is time, and not because somebody asked: it has a line when it changes something or fails. */
  readonly unasked?: {
    isChange(result: T): boolean;
    isFailure(error: unknown): boolean;
  };
}

export interface Told {
  readonly what: string;
  /** Instead of what was known before. */
  readonly names?: readonly string[];
  readonly details?: Readonly<Record<string, unknown>>;
}

export interface Audit {
  /**
   * Does something and tells of it: that it is begun is on disk before it is done, and how it ended before this resolves. UNAVAILABLE, and
   * nothing is done, where the log cannot be written. What nobody asked for is begun when `work` says that something is changed.
   */
  act<T>(actor: Actor, act: Act<T>, work: (changed: () => void) => Promise<T>): Promise<T>;
  /** Tells of something that was done because it had to be; what cannot be written is logged. */
  done(actor: Actor, action: AuditAction, told: Told): Promise<void>;
  /** Counts one of many: they have a line for each minute. */
  count(actor: Actor, act: CountedAct): void;
  /** What was counted so far included. */
  read(query: AuditQuery): Promise<AuditPage>;
  /** What could not be written since this process began. */
  counts(): AuditCounts;
  /** Writes what was counted. */
  close(): Promise<void>;
}

export interface AuditCounts {
  /** Acts that were refused, as their first line could not be written. */
  readonly refused: number;
  /** Acts that were done, and whose last line could not be written. */
  readonly unfinished: number;
  /** Lines of counted acts that wait to be written. */
  readonly waiting: number;
}

export interface AuditOptions {
  /** The folder that servers may share. */
  readonly storage: string;
  readonly audit: {
    /** Off: nothing is written, and what there is can be read. */
    readonly enabled: boolean;
    /** Days after which acts are forgotten. */
    readonly keepDays: number;
  };
}

/** Where the id of a writer is kept: no two processes write one state. */
export interface WriterState {
  readValue(key: string): unknown;
  writeValue(key: string, value: unknown): Promise<void>;
}

/** Of a process that holds no state: it writes files of its own. */
export const ownWriter: WriterState = { readValue: () => undefined, writeValue: async () => {} };

const stateKey = 'audit/writer';
const flushMs = 60_000;

export function auditDirectory({ storage }: Pick<AuditOptions, 'storage'>): string {
  return join(storage, 'audit');
}

export async function openAudit(
  options: AuditOptions,
  state: WriterState,
  logger: Logger,
  nowMs: () => number = Date.now,
): Promise<Audit> {
  const directory = auditDirectory(options);
  const { enabled, keepDays } = options.audit;
  if (!enabled) return silentAudit(directory);
  const log = openLog({ directory, writer: await writerOf(state), keepDays, logger, nowMs });
  const nextId = createIds();
  const newEntry = createNewEntry(nextId, nowMs);
  const tally = createTally(nowMs);
  const running = new Set<string>();
  const lost = { refused: 0, unfinished: 0 };

  const flush = () => log.writeLater(tally.take().map((entry) => ({ id: nextId(entry.at), ...entry })));
  const timer = setInterval(() => void flush(), flushMs);
  timer.unref();

  /** The act itself is over by then: without this line it stays one that is begun. */
  async function writeEnd({ names, ...entry }: AuditEntry): Promise<void> {
    await log.write({ ...entry, names: shortNames(names) }, true).catch((error: unknown) => {
      lost.unfinished += 1;
      logger.error({ error: String(error), entry }, 'the end of an act is not in the audit log');
    });
  }

  async function run<T>(entry: AuditEntry, act: Act<T>, work: (changed: () => void) => Promise<T>): Promise<T> {
    let begun: Promise<void> | undefined;
    const begin = () => {
      begun ??= log.write({ ...entry, begun: true }, true);
      return begun;
    };
    const startedMs = performance.now();
    const end = async (told: Partial<AuditEntry>) =>
      await writeEnd({ ...entry, ...told, ms: Math.round(performance.now() - startedMs) });
    if (act.unasked === undefined)
      await begin().catch((error: unknown) => {
        lost.refused += 1;
        throw refusal(error);
      });
    let result: T;
    try {
      result = await work(() => void begin().catch(() => {}));
    } catch (error) {
      if (begun !== undefined || act.unasked?.isFailure(error) === true) await end(tellFailure(entry, error));
      throw error;
    }
    if (begun !== undefined || act.unasked?.isChange(result) === true) await end({ outcome: 'done', ...act.tell(result) });
    return result;
  }

  return {
    async act(actor, act, work) {
      const entry = newEntry(actor, act);
      running.add(entry.id);
      try {
        return await run(entry, act, work);
      } finally {
        running.delete(entry.id);
      }
    },
    done: (actor, action, told) => writeEnd({ ...newEntry(actor, { action }), outcome: 'done', ...told }),
    count: tally.count,
    counts: () => ({ ...lost, waiting: log.waiting() }),
    async read(query) {
      await flush();
      return await readAudit(directory, query, (id) => running.has(id));
    },
    async close() {
      clearInterval(timer);
      await flush();
    },
  };
}

/** Messages may have values in them, keys of who is erased among them: the code is told, and the log has the rest. */
function tellFailure({ details }: AuditEntry, error: unknown): Partial<AuditEntry> {
  const { code, details: facts } = asFeatureStoreError(error);
  const { materialized } = facts;
  const partly = Array.isArray(materialized) ? { details: { ...details, materialized } } : {};
  return { outcome: isRefusal(code) ? 'refused' : 'failed', code, ...partly };
}

function refusal(cause: unknown): FeatureStoreError {
  return new FeatureStoreError(
    'UNAVAILABLE',
    `the audit log cannot be written, so nothing was done: ${cause instanceof Error ? cause.message : cause}; mend that, or set audit: { enabled: false } in the config`,
    { cause },
  );
}

function silentAudit(directory: string): Audit {
  return {
    act: async (_actor, _act, work) => await work(() => {}),
    done: async () => {},
    count() {},
    counts: () => ({ refused: 0, unfinished: 0, waiting: 0 }),
    read: (query) => readAudit(directory, query),
    close: async () => {},
  };
}

async function writerOf(state: WriterState): Promise<string> {
  const known = state.readValue(stateKey);
  if (typeof known === 'string') return known;
  const made = randomBytes(6).toString('hex');
  await state.writeValue(stateKey, made);
  return made;
}
