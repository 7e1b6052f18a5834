import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { columnFromValues } from '../../src/arrow/build.ts';
import { encodeRecordBatch } from '../../src/arrow/record-batch.ts';
import { field, type Schema } from '../../src/arrow/schema.ts';
import { encodeSchemaMessage } from '../../src/arrow/schema-message.ts';
import { silentLogger } from '../../src/observe.ts';
import { receiveFrame } from '../../src/serve/entity-frame.ts';
import { createMemoryBudget } from '../../src/serve/memory-budget.ts';
import { openUploadStore } from '../../src/serve/uploads.ts';

const schema: Schema = { fields: [field('id', { id: 'int', bits: 64, signed: true })], metadata: new Map() };

async function* sent() {
  yield { header: encodeSchemaMessage(schema), body: Buffer.alloc(0) };
  const { header, body } = encodeRecordBatch({
    schema,
    length: 3,
    columns: schema.fields.map((each) => columnFromValues(each, [1n, 2n, 3n])),
  });
  yield { header, body: Buffer.concat(body) };
}

describe('a frame that comes in with its call', () => {
  let directory: string;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'featherflight-frame-'));
  });
  afterEach(async () => {
    await rm(directory, { recursive: true });
  });

  it('gives back the memory of a large batch whose query ends while it waits for its turn', async () => {
    const uploads = await openUploadStore(directory, { maxUploadBytes: 10_000, maxStoredUploadBytes: 10_000 }, silentLogger);
    const memory = createMemoryBudget({ totalBytes: 10_000, freeBytes: 0 });
    const spool = uploads.spool();
    const upload = { descriptor: undefined, messages: sent(), drain: async () => {} };
    const frame = await receiveFrame(upload, spool, memory);
    const stopped = new Error('stopped');
    const pause = () => async () => {
      if (memory.used > 0) throw stopped;
    };
    await expect(frame.batches(10, new AbortController().signal, pause).next()).rejects.toBe(stopped);
    expect(memory.used).toBe(0);
    await spool.close();
  });
});
