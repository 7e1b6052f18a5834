/** Arrow IPC files and streams on disk, written batch by batch. */
import { type FileHandle, open } from 'node:fs/promises';
import type { Compression } from './compression.ts';
import { encodeFooter, fileMagic, type MessageBlock } from './footer.ts';
import {
  type DictionaryBatch,
  type EncodedMessage,
  encodeDictionaryBatch,
  encodeRecordBatch,
  type RecordBatch,
} from './record-batch.ts';
import type { Schema } from './schema.ts';
import { encapsulateMessage, encodeSchemaMessage } from './schema-message.ts';
import { dataView } from './typed-view.ts';

export interface ArrowFileOptions {
  /** `file` has a footer and may be read from anywhere, `stream` has none; default file. */
  readonly format?: 'file' | 'stream';
  /** Default none. */
  readonly compression?: Compression;
}

export interface ArrowFileWriter {
  write(batch: RecordBatch): Promise<void>;
  /** A dictionary must be written before the batches that use it; in a file each is written once, in a stream it may change. */
  writeDictionary(dictionary: DictionaryBatch): Promise<void>;
  /** Writes the end without which readers refuse the file, and closes it. */
  finish(): Promise<void>;
  /** Closes a file that is not to be finished; harmless after finish. */
  close(): Promise<void>;
}

/** Creates a file, or empties one that is there, and writes the schema; rejects with the system's error where it cannot. */
export async function createArrowFile(path: string, schema: Schema, options: ArrowFileOptions = {}): Promise<ArrowFileWriter> {
  const file = await open(path, 'w');
  const isFile = options.format !== 'stream';
  const dictionaries: MessageBlock[] = [];
  const batches: MessageBlock[] = [];
  let at = 0;
  let isOpen = true;

  async function append(parts: readonly Uint8Array[]): Promise<void> {
    at += await writeAll(file, parts);
  }

  async function appendMessage(message: EncodedMessage, blocks: MessageBlock[]): Promise<void> {
    const header = encapsulateMessage(message.header);
    blocks.push({ start: at, headerBytes: header.byteLength, bodyBytes: message.bodyLength });
    await append([header, ...message.body]);
  }

  async function close(): Promise<void> {
    if (!isOpen) return;
    isOpen = false;
    await file.close();
  }

  const encoding = { compression: options.compression, alignment: 64 } as const;
  try {
    if (isFile) await append([padToEight(fileMagic)]);
    await append([encapsulateMessage(encodeSchemaMessage(schema))]);
  } catch (error) {
    await close();
    throw error;
  }
  return {
    write: (batch) => appendMessage(encodeRecordBatch(batch, encoding), batches),
    writeDictionary: (dictionary) => appendMessage(encodeDictionaryBatch(dictionary, encoding), dictionaries),
    async finish() {
      await append([endOfStream]);
      if (isFile) {
        const footer = encodeFooter(schema, dictionaries, batches);
        const length = new Uint8Array(4);
        dataView(length).setInt32(0, footer.byteLength, true);
        await append([footer, length, fileMagic]);
      }
      await close();
    },
    close,
  };
}

/** A prefix with length 0: 0xFFFFFFFF 00000000. */
const endOfStream = Uint8Array.of(255, 255, 255, 255, 0, 0, 0, 0);

function padToEight(bytes: Uint8Array): Uint8Array {
  const padded = new Uint8Array(8);
  padded.set(bytes);
  return padded;
}

/** Writes all parts, however many of them the system takes at once, and answers their bytes. */
async function writeAll(file: FileHandle, parts: readonly Uint8Array[]): Promise<number> {
  let total = 0;
  let rest = parts.filter((part) => part.byteLength > 0);
  while (rest.length > 0) {
    let { bytesWritten } = await file.writev(rest.slice(0, partsAtOnce));
    total += bytesWritten;
    while (rest.length > 0 && bytesWritten >= (rest[0] as Uint8Array).byteLength) {
      bytesWritten -= (rest[0] as Uint8Array).byteLength;
      rest = rest.slice(1);
    }
    if (bytesWritten > 0) rest = [(rest[0] as Uint8Array).subarray(bytesWritten), ...rest.slice(1)];
  }
  return total;
}

/** What one system call takes (IOV_MAX). */
const partsAtOnce = 1024;
