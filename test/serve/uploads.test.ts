import { mkdtemp, readdir, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { columnFromValues } from '../../src/arrow/build.ts';
import { encodeRecordBatch } from '../../src/arrow/record-batch.ts';
import { field, type Schema } from '../../src/arrow/schema.ts';
import { encodeSchemaMessage } from '../../src/arrow/schema-message.ts';
import { silentLogger } from '../../src/observe.ts';
import type { IpcMessage } from '../../src/serve/ipc-message.ts';
import { openUploadStore, type UploadStore, uploadLifetimeMs } from '../../src/serve/uploads.ts';

const schema: Schema = { fields: [field('id', { id: 'int', bits: 64, signed: true })], metadata: new Map() };

function message(values: readonly bigint[]): IpcMessage {
  const columns = schema.fields.map((each) => columnFromValues(each, values));
  const { header, body } = encodeRecordBatch({ schema, length: values.length, columns });
  return { header, body: Buffer.concat(body) };
}

async function* frame(batches: number, wait?: Promise<void>): AsyncGenerator<IpcMessage> {
  yield { header: encodeSchemaMessage(schema), body: new Uint8Array(0) };
  for (let batch = 0; batch < batches; batch++) {
    yield message(Array.from({ length: 1000 }, (_, row) => BigInt(1000 * batch + row)));
    await wait;
  }
}

async function collect(messages: AsyncIterable<IpcMessage>): Promise<IpcMessage[]> {
  const all: IpcMessage[] = [];
  for await (const each of messages) all.push(each);
  return all;
}

describe('uploads', () => {
  let directory: string;
  let store: UploadStore;
  const open = async (limits = { maxUploadBytes: 1_000_000, maxStoredUploadBytes: 1_000_000 }) =>
    await openUploadStore(directory, limits, silentLogger);
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'featherflight-uploads-'));
    store = await open();
    vi.useRealTimers();
  });

  it('come back message by message, as often as asked, also to another process', async () => {
    const { id, rows } = await store.save(frame(3));
    expect(rows).toBe(3000);
    const upload = await (await open()).find(id);
    const sent = (await collect(frame(3))).slice(1);
    for (let time = 0; time < 2; time++)
      expect((await collect(upload.messages())).map((each) => Buffer.from(each.body))).toEqual(sent.map((each) => each.body));
    expect(upload.schema).toEqual(schema);
    await upload.close();
  });

  it('come back whole into memory that is used again', async () => {
    async function* growing(): AsyncGenerator<IpcMessage> {
      yield* frame(0);
      for (const rows of [10, 1000, 500, 2000, 1]) yield message(Array.from({ length: rows }, (_, row) => BigInt(rows + row)));
    }
    const upload = await store.find((await store.save(growing())).id);
    const sent = (await collect(growing())).slice(1).map((each) => Buffer.from(each.body));
    const got: Buffer[] = [];
    const memory = new Set<ArrayBufferLike>();
    for await (const { body, release } of upload.messages()) {
      got.push(Buffer.from(body));
      memory.add(body.buffer);
      release?.();
    }
    expect(got).toEqual(sent);
    expect(memory.size).toBe(3);
    await upload.close();
  });

  it('have one hash for the same rows', async () => {
    const [one, two, other] = [await store.save(frame(2)), await store.save(frame(2)), await store.save(frame(3))];
    expect(one.sha256).toBe(two.sha256);
    expect(one.sha256).not.toBe(other.sha256);
  });

  it('expire after ten minutes, but not under one who reads them', async () => {
    const { id } = await store.save(frame(2));
    const upload = await store.find(id);
    vi.useFakeTimers({ now: Date.now() + uploadLifetimeMs + 1, toFake: ['Date'] });
    await expect(store.find(id)).rejects.toMatchObject({ code: 'NOT_FOUND', message: expect.stringContaining('upload expired') });
    await store.sweep();
    expect(await readdir(directory)).toEqual([]);
    expect(await collect(upload.messages())).toHaveLength(2);
    await upload.close();
  });

  it('leave nothing behind when they break off, are out of order or say less than they bring', async () => {
    async function* broken(): AsyncGenerator<IpcMessage> {
      yield* frame(1);
      throw new Error('gone');
    }
    await expect(store.save(broken())).rejects.toThrow('gone');
    async function* late(): AsyncGenerator<IpcMessage> {
      yield message([1n]);
    }
    await expect(store.save(late())).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    async function* short(): AsyncGenerator<IpcMessage> {
      yield* frame(0);
      const { header, body } = message([1n, 2n]);
      yield { header, body: body.subarray(8) };
    }
    await expect(store.save(short())).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    await expect(store.save(frame(-1))).resolves.toMatchObject({ rows: 0 });
    expect((await readdir(directory)).filter((name) => name.endsWith('.arrows'))).toHaveLength(1);
  });

  it('share the room there is, those that are being written included', async () => {
    store = await open({ maxUploadBytes: 100_000, maxStoredUploadBytes: 60_000 });
    await expect((await open({ maxUploadBytes: 10_000, maxStoredUploadBytes: 60_000 })).save(frame(3))).rejects.toMatchObject({
      code: 'RESOURCE_EXHAUSTED',
      message: expect.stringContaining('maxUploadBytes'),
    });
    let go: () => void = () => {};
    const wait = new Promise<void>((resolve) => {
      go = resolve;
    });
    const together = [1, 2, 3].map(() => store.save(frame(4, wait)));
    go();
    const results = await Promise.allSettled(together);
    const refused = results.filter((result) => result.status === 'rejected').map((result) => result.reason);
    expect(refused.length).toBeGreaterThan(0);
    for (const reason of refused)
      expect(reason).toMatchObject({ code: 'RESOURCE_EXHAUSTED', details: { retry_after_seconds: 600 } });
  });

  it('are swept past a sidecar that a crash left torn, and past what was never finished', async () => {
    const { id } = await store.save(frame(1));
    await writeFile(join(directory, `${'0'.repeat(32)}.json`), '{"rows":');
    await writeFile(join(directory, `${'1'.repeat(32)}.arrows`), 'half');
    const old = new Date(Date.now() - uploadLifetimeMs - 1000);
    for (const name of ['0'.repeat(32).concat('.json'), '1'.repeat(32).concat('.arrows')])
      await utimes(join(directory, name), old, old);
    await expect(store.find('0'.repeat(32))).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await store.sweep();
    expect((await readdir(directory)).sort()).toEqual([`${id}.arrows`, `${id}.json`]);
  });

  it('are asked for by ids alone', async () => {
    await expect(store.find('../../etc/passwd')).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  });
});
