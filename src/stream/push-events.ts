/** Events that are pushed: checked as a whole, then durable in the log of pushes, which the source's processor reads like any other. */
import { FeatureStoreError } from '../errors.ts';
import type { SourceDocument } from '../registry/document.ts';
import { compileDecoder } from './decode/compile-decoder.ts';
import type { DecodeEvents } from './decode/decoded-events.ts';
import type { PushLog } from './log/push-log.ts';

export interface PushedEventsReport {
  /** Events given. */
  readonly rows: number;
  /** Whether they were taken now; false where an earlier try of the same push has brought them. */
  readonly appended: boolean;
}

/** Of what is in the log of pushes, which has been checked. */
export function compilePushDecoder(source: SourceDocument): DecodeEvents {
  return compileDecoder(source, { format: 'columns', maxRecordBytes: Number.MAX_SAFE_INTEGER });
}

/** Appends events given column by column; INVALID_ARGUMENT says what is wrong with the first that is no event of the source. */
export async function pushEvents(
  source: SourceDocument,
  log: PushLog,
  rows: Readonly<Record<string, readonly unknown[]>>,
  idempotencyKey: string,
): Promise<PushedEventsReport> {
  if (source.archive === false) throw notArchived(source.name);
  const count = checkColumns(source, rows);
  if (count === 0) return { rows: 0, appended: false };
  const payload = Buffer.from(JSON.stringify(rows, asJson));
  const { setAside } = compilePushDecoder(source)([{ offset: 0n, value: payload }]);
  const [first] = setAside;
  if (first !== undefined) {
    const more = setAside.length === 1 ? '' : `; ${setAside.length - 1} more of the ${count} events are wrong`;
    throw new FeatureStoreError(
      'INVALID_ARGUMENT',
      `source "${source.name}" does not take these events: ${first.reason}${more}`,
      {
        details: { source: source.name, wrong: setAside.length, rows: count },
      },
    );
  }
  const { isNew } = await log.append(idempotencyKey, payload);
  return { rows: count, appended: isNew };
}

/** What is pushed stands nowhere else: without an archive it would be gone for training, and when states are made anew. */
function notArchived(source: string): FeatureStoreError {
  return new FeatureStoreError(
    'FAILED_PRECONDITION',
    `source "${source}" keeps no archive, since others write its history: write events to its stream, or leave out archive: false`,
    { details: { source } },
  );
}

/** All of one length, and of columns that the source has: who pushes can mend a name that is none. */
function checkColumns(source: SourceDocument, rows: Readonly<Record<string, readonly unknown[]>>): number {
  const names = [source.eventTimestamp, ...(source.events?.columns ?? []).map(({ name }) => name)];
  const refuse = (column: string, what: string) =>
    new FeatureStoreError('INVALID_ARGUMENT', `source "${source.name}" ${what}`, { details: { source: source.name, column } });
  for (const name of Object.keys(rows)) {
    if (!names.includes(name)) throw refuse(name, `has no column "${name}"; it has ${names.join(', ')}`);
  }
  const times = rows[source.eventTimestamp];
  if (times === undefined)
    throw refuse(source.eventTimestamp, `needs column "${source.eventTimestamp}", which the events do not have`);
  for (const [name, { length }] of Object.entries(rows)) {
    if (length !== times.length) {
      throw refuse(name, `needs columns of one length: "${source.eventTimestamp}" has ${times.length}, "${name}" ${length}`);
    }
  }
  return times.length;
}

/** Integers of any width as text, bytes as base64, floats that JSON has not by their names. */
function asJson(_: string, value: unknown): unknown {
  if (typeof value === 'bigint') return String(value);
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
  return typeof value === 'number' && !Number.isFinite(value) ? String(value) : value;
}
