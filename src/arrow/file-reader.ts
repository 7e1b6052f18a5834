/** Arrow IPC files and streams, read batch by batch from disk or memory. */
import { open } from 'node:fs/promises';
import { FeatureStoreError } from '../errors.ts';
import { addDictionary, type Dictionaries } from './dictionaries.ts';
import { countBatches, fileMagic, type MessageBlock, readBatchBlocks } from './footer.ts';
import { peekMessage } from './message.ts';
import { malformed } from './metadata-reader.ts';
import { type DecodeOptions, decodeDictionaryBatch, decodeRecordBatch, type RecordBatch } from './record-batch.ts';
import type { Schema } from './schema.ts';
import { decodeSchemaMessage, readPrefix } from './schema-message.ts';
import { dataView } from './typed-view.ts';

export interface ArrowFileReader {
  readonly schema: Schema;
  /** Each batch with the dictionaries that it was written against, one batch in memory at a time. To be read once. */
  batches(): AsyncIterable<{ readonly batch: RecordBatch; readonly dictionaries: Dictionaries }>;
  close(): Promise<void>;
}

/**
 * Opens a file on disk, with a footer or as a stream, told apart by how it begins. INVALID_ARGUMENT where it is malformed, and
 * where it is cut short: a file without its footer, a stream without its end mark.
 */
export async function openArrowFile(path: string, options: DecodeOptions = {}): Promise<ArrowFileReader> {
  const { source, close } = await openBytes(path);
  try {
    return await openSource(path, options, source);
  } catch (error) {
    await close();
    throw error;
  }
}

async function openBytes(path: string): Promise<{ readonly source: ByteSource; close(): Promise<void> }> {
  const file = await open(path, 'r');
  const close = () => file.close();
  try {
    const { size } = await file.stat();
    async function read(start: number, length: number): Promise<Uint8Array> {
      const bytes = new Uint8Array(length);
      for (let at = 0; at < length; ) {
        const { bytesRead } = await file.read(bytes, at, Math.min(length - at, 2 ** 30), start + at);
        if (bytesRead === 0) throw malformed(`${path} became shorter while it was read`);
        at += bytesRead;
      }
      return bytes;
    }
    return { source: { size, read, close }, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Opens the bytes of a file or stream; batches are views of them. */
export function openArrowBytes(bytes: Uint8Array, options: DecodeOptions = {}): Promise<ArrowFileReader> {
  const read = async (start: number, length: number) => bytes.subarray(start, start + length);
  return openSource('the Arrow data', options, { size: bytes.byteLength, read, close: async () => {} });
}

export interface ArrowBatchFile {
  readonly schema: Schema;
  /** How many batches it holds. */
  readonly batches: number;
  /** Any of them, without those before it. */
  read(batch: number): Promise<RecordBatch>;
  close(): Promise<void>;
}

export interface ArrowBatchOptions extends DecodeOptions {
  /** Sees all bytes of each batch's message, prefix and padding included, before they are understood, and may refuse them. */
  check?(batch: number, header: Uint8Array, body: Uint8Array): void;
}

/** Opens a file with a footer, and without dictionaries, to read its batches in any order; INVALID_ARGUMENT where it is no such file. */
export async function openArrowBatches(path: string, options: ArrowBatchOptions = {}): Promise<ArrowBatchFile> {
  const { source, close } = await openBytes(path);
  try {
    const footer = await readFooter(source, path);
    if (footer === undefined) throw malformed(`${path} is a stream; only a file with a footer is read from anywhere`);
    const first = await readMessages(source, 8, path).next();
    if (first.done) throw malformed(`${path} holds no schema`);
    const schema = decodeSchemaMessage(first.value.header);
    const blocks = readBatchBlocks(footer);
    return {
      schema,
      batches: blocks.length,
      async read(batch) {
        const { start, headerBytes, bodyBytes } = blocks[batch] as MessageBlock;
        if (start + headerBytes + bodyBytes > source.size) throw malformed(`${path} is cut short before batch ${batch}`);
        const header = await source.read(start, headerBytes);
        const body = await source.read(start + headerBytes, bodyBytes);
        options.check?.(batch, header, body);
        const { headerStart, headerLength } = readPrefix(header, 0);
        return decodeRecordBatch(schema, header.subarray(headerStart, headerStart + headerLength), body, options);
      },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

interface ByteSource {
  readonly size: number;
  /** Exactly `length` bytes, which are within the source. */
  read(start: number, length: number): Promise<Uint8Array>;
  close(): Promise<void>;
}

interface RawMessage {
  readonly header: Uint8Array;
  readonly body: Uint8Array;
}

async function openSource(name: string, options: DecodeOptions, source: ByteSource): Promise<ArrowFileReader> {
  const footer = await readFooter(source, name);
  const messages = readMessages(source, footer === undefined ? 0 : 8, name);
  const first = await messages.next();
  if (first.done) throw malformed(`${name} holds no schema`);
  const schema = decodeSchemaMessage(first.value.header);
  return {
    schema,
    async *batches() {
      let dictionaries: Dictionaries = new Map();
      let count = 0;
      for await (const { header, body } of messages) {
        if (peekMessage(header).kind === 'dictionaryBatch') {
          dictionaries = addDictionary(dictionaries, decodeDictionaryBatch(schema, header, body, options));
          continue;
        }
        count++;
        yield { batch: decodeRecordBatch(schema, header, body, options), dictionaries };
      }
      const listed = footer === undefined ? count : countBatches(footer);
      if (listed !== count) throw malformed(`${name} holds ${count} batches where its footer lists ${listed}`);
    },
    close: () => source.close(),
  };
}

/** The footer of a file, undefined of a stream: a file begins with `ARROW1` and two zeros, and ends with int32 length and `ARROW1`. */
async function readFooter(source: ByteSource, name: string): Promise<Uint8Array | undefined> {
  if (source.size < 8) throw malformed(`${name} has only ${source.size} bytes`);
  if (Buffer.compare((await source.read(0, 8)).subarray(0, 6), fileMagic) !== 0) return undefined;
  const cutShort = () => new FeatureStoreError('INVALID_ARGUMENT', `${name} is cut short: an Arrow file ends with its footer`);
  if (source.size < 18) throw cutShort();
  const tail = await source.read(source.size - 10, 10);
  const length = dataView(tail).getInt32(0, true);
  if (Buffer.compare(tail.subarray(4), fileMagic) !== 0 || length <= 0 || length > source.size - 18) throw cutShort();
  return await source.read(source.size - 10 - length, length);
}

async function* readMessages(source: ByteSource, start: number, name: string): AsyncGenerator<RawMessage> {
  const cutShort = () => new FeatureStoreError('INVALID_ARGUMENT', `${name} is cut short: it ends without the mark that ends it`);
  for (let at = start; ; ) {
    if (at + 4 > source.size) throw cutShort();
    const { headerStart, headerLength } = readPrefix(await source.read(at, Math.min(8, source.size - at)), 0);
    if (headerLength === 0) return;
    if (at + headerStart + headerLength > source.size) throw cutShort();
    const header = await source.read(at + headerStart, headerLength);
    const bodyStart = at + headerStart + headerLength;
    const { bodyLength } = peekMessage(header);
    if (bodyStart + bodyLength > source.size) throw cutShort();
    yield { header, body: await source.read(bodyStart, bodyLength) };
    at = bodyStart + bodyLength;
  }
}
