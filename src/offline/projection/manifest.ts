/** What a projection on disk consists of; the manifest is written last, so a folder without one is not a projection. */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { SourceDocument, ViewDocument } from '../../registry/document.ts';
import { eventViewOf } from '../../registry/event-view.ts';
import type { TableState } from '../source-state.ts';

const formatVersion = 1;
/** What is made of events; 2 counts those that are invalid. */
const eventsVersion = 2;

const manifestSchema = z.strictObject({
  format: z.literal(formatVersion),
  rows: z.int().min(0),
  /** Whether rows carry `row_hash`, because some rows differ by value alone. */
  byValue: z.boolean(),
  /** Of events alone. */
  invalid: z
    .strictObject({
      events: z.int().min(0),
      reasons: z
        .array(z.strictObject({ reason: z.enum(['no_time', 'type', 'vocabulary']), column: z.string(), events: z.int().min(0) }))
        .readonly(),
    })
    .optional(),
  /** Files `0.arrows`, `1.arrows`, …: the rows whose key's hash falls into that bucket, each an Arrow IPC stream. */
  buckets: z.array(z.strictObject({ rows: z.int().min(0), bytes: z.int().min(0), crc32: z.int().min(0) })),
});

/** Events of a history that count nowhere (rule 6.1). */
export interface InvalidEvents {
  /** Each once, whatever is wrong with it. */
  readonly events: number;
  /** By what is wrong; those that no event has are left out. */
  readonly reasons: readonly {
    readonly reason: 'no_time' | 'type' | 'vocabulary';
    readonly column: string;
    readonly events: number;
  }[];
}

export type Manifest = z.output<typeof manifestSchema>;

export function encodeManifest(manifest: Omit<Manifest, 'format'>): string {
  return JSON.stringify({ format: formatVersion, ...manifest });
}

/** The manifest, or undefined where the text is none of this version. */
export function decodeManifest(text: string): Manifest | undefined {
  try {
    return manifestSchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

/** Names a projection by everything that its content depends on. */
export function projectionId(view: ViewDocument, source: SourceDocument, state: TableState, engine: string): string {
  const { table, tables, eventTimestamp, createdTimestamp, availableAt, timezone, ambiguousTime, columns } = source;
  const features = view.features.map(({ name, type, column }) => [name, type, column]);
  const parts = [
    formatVersion,
    engine,
    view.keys,
    features,
    table,
    eventTimestamp,
    createdTimestamp,
    availableAt,
    timezone,
    ambiguousTime,
    columns,
    state.hash,
    // Absent for rows that are no events, whose projections are named as before.
    ...(source.events === undefined ? [] : [source.events, eventViewOf(view).expressions, tables ?? [], eventsVersion]),
  ];
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 32);
}

/** The bucket of a key's hash among a power of two of them: the hash's upper bits, as tables use the lower ones. */
export function bucketOf(hash: number, buckets: number): number {
  return buckets === 1 ? 0 : hash >>> (32 - Math.log2(buckets));
}
