/** get_dataset over Flight: endpoints that are ranges of positions, whose tickets any server over the same storage answers. */
import { z } from 'zod';
import type { Caller } from '../access/caller.ts';
import type { Compression } from '../arrow/compression.ts';
import { encodeRecordBatch } from '../arrow/record-batch.ts';
import type { Schema } from '../arrow/schema.ts';
import { encapsulateMessage, encodeSchemaMessage } from '../arrow/schema-message.ts';
import type { Datasets } from '../dataset/datasets.ts';
import { formatReference } from '../dataset/name.ts';
import { planRows, streamRows } from '../dataset/open-rows.ts';
import type { RowCaches } from '../dataset/row-caches.ts';
import { parseRowsRequest, type RowsRequest, rowsRequestSchema } from '../dataset/rows-request.ts';
import { FeatureStoreError } from '../errors.ts';
import type { CallContext, FlightDescriptor, FlightEndpoint, FlightInfo, FlightMessage } from '../flight/protocol.ts';
import type { Engine } from '../offline/duckdb/engine.ts';
import { datasetsFor } from './dataset-access.ts';
import { signTicket } from './tickets.ts';
import { encodeJson } from './wire-json.ts';

export interface DatasetRowsParts {
  readonly datasets: Pick<Datasets, 'seenBy'>;
  readonly engine: Engine;
  readonly caches: RowCaches;
  readonly secret: string;
  callerOf(token: string | undefined): Caller;
}

export interface DatasetRows {
  /** Checks a request whole, and gives a ticket for each shard of it. */
  describe(command: unknown, descriptor: FlightDescriptor, context: CallContext): Promise<FlightInfo>;
  /** The encapsulated schema of the rows. */
  schema(command: unknown, context: CallContext): Promise<Uint8Array>;
  /** Whether the content of a ticket is of this command. */
  isTicket(content: unknown): boolean;
  redeem(content: unknown, context: CallContext): AsyncGenerator<FlightMessage, void>;
}

const ticketSchema = z.strictObject({ id: z.string(), rows: rowsRequestSchema });
const mostEndpoints = 100_000;

export function createDatasetRows(parts: DatasetRowsParts): DatasetRows {
  const { datasets, engine, caches } = parts;

  const doors = ({ token }: CallContext) => datasetsFor(datasets, parts.callerOf(token));

  async function plan(request: RowsRequest, context: CallContext) {
    return await doors(context).reading(request.dataset, async (dataset) => ({
      manifest: dataset.manifest,
      ...(await planRows(engine, dataset, request, caches)),
    }));
  }

  async function describe(command: unknown, descriptor: FlightDescriptor, context: CallContext): Promise<FlightInfo> {
    const request = parseRowsRequest(command);
    const { manifest, schema, range, split } = await plan(request, context);
    const named = {
      ...request,
      dataset: formatReference(manifest),
      split: split.name,
      window_blocks: request.window_blocks ?? split.blocks.window_blocks,
    };
    const ranges = shard(request, range.start, range.end, range.step);
    const endpoints = ranges.map(([start, end]): FlightEndpoint => {
      const { shard_rows: _, ...rest } = named;
      const ticket = signTicket(parts.secret, { id: manifest.id, rows: { ...rest, start, end } });
      return { ticket, locations: [], metadata: encodeJson({ start, end }) };
    });
    const rows = countRows(range.start, range.end, range.step, range.batchRows);
    return {
      schema: schemaMessage(schema),
      descriptor,
      endpoints,
      totalRecords: BigInt(rows),
      totalBytes: -1n,
      ordered: true,
      metadata: encodeJson({
        dataset: formatReference(manifest),
        id: manifest.id,
        split: split.name,
        split_rows: split.rows,
        rows,
      }),
    };
  }

  async function schema(command: unknown, context: CallContext): Promise<Uint8Array> {
    return schemaMessage((await plan(parseRowsRequest(command), context)).schema);
  }

  async function* redeem(content: unknown, context: CallContext): AsyncGenerator<FlightMessage, void> {
    const { id, rows: request } = ticketSchema.parse(content);
    const dataset = await doors(context).open(request.dataset);
    try {
      if (dataset.manifest.id !== id) {
        throw new FeatureStoreError(
          'FAILED_PRECONDITION',
          `${request.dataset} is not what this ticket was made for; ask GetFlightInfo for a new one`,
          { details: { dataset: request.dataset, id: dataset.manifest.id, ticket: id } },
        );
      }
      const planned = await planRows(engine, dataset, request, caches);
      yield { header: encodeSchemaMessage(planned.schema), body: [] };
      const compression: Compression | undefined = request.compression ?? undefined;
      for await (const { position, batch } of streamRows(dataset, planned, caches, context.signal)) {
        context.signal.throwIfAborted();
        yield { ...encodeRecordBatch(batch, { compression }), metadata: encodeJson({ position, rows: batch.length }) };
      }
    } finally {
      dataset.release();
    }
  }

  return { describe, schema, isTicket: (content) => ticketSchema.safeParse(content).success, redeem };
}

/** Ranges of at most `shard_rows` positions, which begin where a batch begins. */
function shard({ shard_rows }: RowsRequest, start: number, end: number, step: number): [number, number][] {
  if (shard_rows == null || start === end) return [[start, end]];
  const size = Math.max(1, Math.floor(shard_rows / step)) * step;
  const count = Math.ceil((end - start) / size);
  if (count > mostEndpoints) {
    throw new FeatureStoreError(
      'INVALID_ARGUMENT',
      `shard_rows ${shard_rows} makes ${count} endpoints; more than ${mostEndpoints} are refused`,
    );
  }
  return Array.from({ length: count }, (_, at) => [start + at * size, Math.min(end, start + (at + 1) * size)]);
}

/** Rows of batches at start, start + step, … before `end`. */
function countRows(start: number, end: number, step: number, batchRows: number): number {
  const whole = Math.floor((end - start) / step);
  return whole * Math.min(batchRows, step) + Math.min(batchRows, end - start - whole * step);
}

function schemaMessage(schema: Schema): Uint8Array {
  return encapsulateMessage(encodeSchemaMessage(schema));
}
