/** DoPut `push`: rows of a source as record batches, each of them one push, which is durable when its PutResult comes. */
import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { jsonForm } from '../arrow/format-value.ts';
import { readValue } from '../arrow/read-value.ts';
import type { Schema } from '../arrow/schema.ts';
import { decodeSchemaMessage } from '../arrow/schema-message.ts';
import { FeatureStoreError } from '../errors.ts';
import type { FlightDescriptor, FlightUpload } from '../flight/protocol.ts';
import { withoutEmpty } from './entity-frame.ts';
import { readFrameBatches, type SentBatch } from './frame.ts';
import type { PushRouting } from './push-routing.ts';

const commandSchema = z.strictObject({
  type: z.literal('push'),
  source: z.string(),
  to: z.enum(['online', 'offline', 'online_and_offline']).nullish(),
  idempotency_key: z.string().min(1).max(200).nullish(),
});

export type PushCommand = z.output<typeof commandSchema>;

/** A larger batch is several pushes. */
const maxRows = 10_000;

/** Whether a descriptor is of a push: who sends one needs the scope `write`. */
export function isPush(descriptor: FlightDescriptor | undefined): boolean {
  if (descriptor?.type !== 'cmd') return false;
  try {
    return (JSON.parse(Buffer.from(descriptor.cmd).toString()) as { type?: unknown } | null)?.type === 'push';
  } catch {
    return false;
  }
}

export function parsePushCommand(command: unknown): PushCommand {
  const parsed = commandSchema.safeParse(command);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map((issue) => `${issue.path.join('.') || 'the command'}: ${issue.message}`);
  throw new FeatureStoreError('INVALID_ARGUMENT', `command "push" is refused: ${problems.join('; ')}`, { details: { problems } });
}

/** The report of each push, in the batches' order. Batches have the key of the call and their place, so that a call may be repeated. */
export async function* pushFrame(
  pushes: Pick<PushRouting, 'pushRows'>,
  { source, to, idempotency_key: key }: PushCommand,
  upload: FlightUpload,
  signal: AbortSignal,
): AsyncGenerator<unknown> {
  const messages = withoutEmpty(upload);
  const first = await messages.next();
  if (first.done)
    throw new FeatureStoreError('INVALID_ARGUMENT', 'the rows ended before their schema; send a schema and its batches');
  const schema = decodeSchemaMessage(first.value.header);
  const readRows = compileRows(schema);
  const call = key ?? randomUUID();
  let place = 0;
  for await (const batch of readFrameBatches(schema, messages, maxRows)) {
    signal.throwIfAborted();
    const rows = readRows(batch);
    batch.release?.();
    if (batch.length > 0) {
      const options = { idempotencyKey: `${call}/${place}`, ...(to == null ? {} : { to }), signal };
      yield await pushes.pushRows(source, rows, options);
    }
    place += 1;
  }
}

/** As JSON has them, the way to read a column chosen once. */
function compileRows(schema: Schema): (batch: SentBatch) => Readonly<Record<string, readonly unknown[]>> {
  const forms = schema.fields.map(({ dictionary: _, ...field }) => jsonForm(field));
  return ({ plain, length }) =>
    Object.fromEntries(
      schema.fields.map(({ name }, at) => {
        const column = plain(at);
        const values = Array.from({ length }, (_, row) => readValue(column, row));
        return [name, values.map((value) => (value === null ? null : forms[at]?.(value)))];
      }),
    );
}
