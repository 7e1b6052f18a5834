/** Which of a batch's events count where: by the clock of the batch and the times before them alone, so that a repeated batch is judged alike. */
import type { LiteralValue } from '../definitions/literal.ts';
import { clockMarginUs } from '../online/view.ts';
import type { DecodedEvents, SetAsideEvent } from './decode/decoded-events.ts';

export interface JudgedEvents {
  /** Rows that count in training, in their order. */
  readonly rows: readonly number[];
  /** Of these rows whether they came too late for serving (rule 6.6). */
  readonly late: readonly boolean[];
  readonly setAside: readonly SetAsideEvent[];
  readonly duplicates: number;
  readonly maxEventUs: bigint | undefined;
}

export interface JudgeOptions {
  readonly eventTimestamp: string;
  readonly clockUs: bigint;
  readonly latenessUs: bigint;
  /** Before the batch. */
  readonly maxEventUs: bigint | undefined;
  /** Events before this have been counted from a history that others write; undefined where none have. */
  readonly fromUs: bigint | undefined;
  /** Rows of events whose ids had come before. */
  readonly repeated: ReadonlySet<number>;
}

export function judgeEvents(decoded: DecodedEvents, options: JudgeOptions): JudgedEvents {
  const { eventTimestamp, clockUs, latenessUs, fromUs, repeated } = options;
  const timesUs = decoded.columns[eventTimestamp] as readonly bigint[];
  const rows: number[] = [];
  const late: boolean[] = [];
  const setAside: SetAsideEvent[] = [...decoded.setAside];
  let { maxEventUs } = options;
  let duplicates = 0;
  for (let row = 0; row < timesUs.length; row++) {
    const timeUs = timesUs[row] as bigint;
    if (repeated.has(row)) {
      duplicates += 1;
      continue;
    }
    if (isAhead(timeUs, clockUs)) {
      setAside.push({
        offset: decoded.offsets[row] as bigint,
        reason: futureReason(timeUs, clockUs),
        value: showEvent(decoded, row),
      });
      continue;
    }
    if (fromUs === undefined || timeUs >= fromUs) {
      rows.push(row);
      late.push(maxEventUs !== undefined && timeUs < maxEventUs - latenessUs);
    }
    if (maxEventUs === undefined || timeUs > maxEventUs) maxEventUs = timeUs;
  }
  return { rows, late, setAside, duplicates, maxEventUs };
}

/** Whether an event is too far ahead of a clock to be taken. */
export function isAhead(timeUs: bigint, clockUs: bigint): boolean {
  return timeUs > clockUs + clockMarginUs;
}

function futureReason(timeUs: bigint, clockUs: bigint): string {
  const seconds = (timeUs - clockUs) / 1_000_000n;
  return `the event is ${seconds} s ahead of the server's clock, and at most 60 s are taken: check the producer's clock, and the unit of its times`;
}

/** An event as JSON, with integers as text. */
function showEvent({ columns }: DecodedEvents, row: number): Buffer {
  const event = Object.fromEntries(Object.entries(columns).map(([name, values]) => [name, values[row] as LiteralValue]));
  const asText = (_: string, value: unknown) =>
    typeof value === 'bigint' ? String(value) : value instanceof Uint8Array ? Buffer.from(value).toString('base64') : value;
  return Buffer.from(JSON.stringify(event, asText));
}
