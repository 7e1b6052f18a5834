import { mkdtemp, readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { columnFromValues } from '../../src/arrow/build.ts';
import { encodeRecordBatch } from '../../src/arrow/record-batch.ts';
import { field, type Schema } from '../../src/arrow/schema.ts';
import type { IpcMessage } from '../../src/serve/ipc-message.ts';
import { createSpool, type Spool } from '../../src/serve/spool.ts';
import { createStorageRoom, type StorageRoom } from '../../src/serve/storage-room.ts';

const schema: Schema = { fields: [field('id', { id: 'int', bits: 64, signed: true })], metadata: new Map() };
const rows = 125_000;

/** About a megabyte, all of it `value`. */
function message(value: number): IpcMessage {
  const columns = schema.fields.map((each) => columnFromValues(each, Array(rows).fill(BigInt(value))));
  const { header, body } = encodeRecordBatch({ schema, length: rows, columns });
  return { header, body: Buffer.concat(body) };
}
const lastValue = ({ body }: IpcMessage) => Number(Buffer.from(body).readBigInt64LE(8 * (rows - 1)));

describe('a spool', () => {
  let directory: string;
  let room: StorageRoom;
  let spool: Spool;
  const open = (maxBytes: number) => createSpool({ directory, room, maxBytes });
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'featherflight-spool-'));
    room = createStorageRoom(directory, 40_000_000);
    spool = open(40_000_000);
  });
  afterEach(async () => {
    await spool.close();
  });

  it('takes all before any is read, and gives it back in order, also what comes while it is read', async () => {
    for (let value = 0; value < 20; value++) expect(await spool.write(message(value))).toBe(true);
    expect(spool.isEmpty).toBe(false);
    const got: number[] = [];
    for await (const each of spool.messages()) {
      got.push(lastValue(each));
      if (got.length === 15) for (let value = 20; value < 24; value++) await spool.write(message(value));
      if (got.length === 24) await spool.write(message(24));
      if (got.length === 25) {
        expect(spool.isEmpty).toBe(true);
        spool.end();
      }
    }
    expect(got).toEqual(Array.from({ length: 25 }, (_, value) => value));
  });

  it('gives all that was written before it fails', async () => {
    for (let value = 0; value < 12; value++) await spool.write(message(value));
    spool.end(new Error('gone'));
    const got: number[] = [];
    const read = async () => {
      for await (const each of spool.messages()) got.push(lastValue(each));
    };
    await expect(read()).rejects.toThrow('gone');
    expect(got).toHaveLength(12);
  });

  it.each([
    ['of its own', 12_000_000, 0],
    ['in the storage', 40_000_000, 28_000_000],
  ])('waits for its reader where there is no room %s', async (_, maxBytes, taken) => {
    room.takeUnnamed(taken);
    const full = open(maxBytes);
    let written = 0;
    const writing = (async () => {
      for (; written < 40; written++) await full.write(message(written));
      full.end();
    })();
    await expect.poll(() => written).toBeGreaterThan(15);
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(written).toBeLessThan(22);
    const got: number[] = [];
    for await (const each of full.messages()) got.push(lastValue(each));
    await writing;
    expect(got).toEqual(Array.from({ length: 40 }, (__, value) => value));
    await full.close();
    expect(room.take(40_000_000 - taken)).toBe(true);
  });

  it('is seen by nobody, and takes nothing more once it is closed, whoever waits', async () => {
    const full = open(3_000_000);
    let written = 0;
    const writing = (async () => {
      while (await full.write(message(written))) written++;
    })();
    await expect.poll(() => written).toBeGreaterThan(9);
    expect(await readdir(directory)).toEqual([]);
    await full.close();
    await writing;
    expect(await full.write(message(0))).toBe(false);
    expect(room.take(40_000_000)).toBe(true);
  });

  it('refuses a message that could not be read again', async () => {
    const { header, body } = message(1);
    await expect(spool.write({ header, body: body.subarray(8) })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  });
});
