/** Arrow IPC messages in a file, one after the other: 0xFFFFFFFF | int32 length of the flatbuffer | flatbuffer | body. */
import type { FileHandle } from 'node:fs/promises';
import { peekMessage } from '../arrow/message.ts';
import { encapsulateMessage } from '../arrow/schema-message.ts';
import { FeatureStoreError } from '../errors.ts';
import type { BodyPool } from './body-pool.ts';
import type { IpcMessage } from './ipc-message.ts';

/** The message at a position, and the position after it; DATA_LOSS where the file ends before. Batches are read into the pool's memory. */
export async function readMessageAt(file: FileHandle, at: number, pool?: BodyPool): Promise<[IpcMessage, number]> {
  const prefix = await readExactly(file, at, 8);
  const header = await readExactly(file, at + 8, prefix.readInt32LE(4));
  const { kind, bodyLength } = peekMessage(header);
  const bodyStart = at + 8 + header.length;
  const end = bodyStart + bodyLength;
  if (pool === undefined || kind !== 'recordBatch')
    return [{ header, body: await readExactly(file, bodyStart, bodyLength) }, end];
  const piece = pool.take(bodyLength);
  const body = await readExactly(file, bodyStart, bodyLength, piece.subarray(0, bodyLength));
  return [{ header, body, release: () => pool.give(piece) }, end];
}

/** A message as the parts to write; INVALID_ARGUMENT where its header announces another body, and so could not be read again. */
export function messageParts({ header, body }: IpcMessage): Uint8Array[] {
  const { bodyLength } = peekMessage(header);
  if (bodyLength !== body.length) {
    throw new FeatureStoreError(
      'INVALID_ARGUMENT',
      `an Arrow message announces a body of ${bodyLength} bytes and brings ${body.length}`,
    );
  }
  return [encapsulateMessage(header), body];
}

/** Writes all of a part, at a position. */
export async function writeFully(file: FileHandle, part: Uint8Array, position: number): Promise<void> {
  for (let at = 0; at < part.length; )
    at += (await file.write(part, at, Math.min(part.length - at, chunkBytes), position + at)).bytesWritten;
}

/** The most that one call of the system reads or writes. */
const chunkBytes = 2 ** 30;

async function readExactly(
  file: FileHandle,
  position: number,
  length: number,
  buffer: Buffer = Buffer.allocUnsafeSlow(length),
): Promise<Buffer> {
  for (let at = 0; at < length; ) {
    const { bytesRead } = await file.read(buffer, at, Math.min(length - at, chunkBytes), position + at);
    if (bytesRead === 0)
      throw new FeatureStoreError('DATA_LOSS', 'an upload at rest is shorter than it was; send the frame again');
    at += bytesRead;
  }
  return buffer;
}
