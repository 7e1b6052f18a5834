/** The footer of Arrow IPC files: the schema again, and where each message stands. */
import { Block } from 'apache-arrow/fb/block';
import { Footer as FbFooter } from 'apache-arrow/fb/footer';
import { MetadataVersion } from 'apache-arrow/fb/metadata-version';
import { Builder, type Offset } from 'flatbuffers';
import { encodeSchema } from './encode-field.ts';
import { maxLength } from './message.ts';
import { checkedNumber, openMetadata, required } from './metadata-reader.ts';
import type { Schema } from './schema.ts';

/** Where a message stands in a file, in bytes: its prefix is part of `headerBytes`. */
export interface MessageBlock {
  readonly start: number;
  readonly headerBytes: number;
  readonly bodyBytes: number;
}

/** `ARROW1`, which begins a file, padded to 8 bytes, and ends it after the int32 length of its footer. */
export const fileMagic = new TextEncoder().encode('ARROW1');

/** Writes a footer. */
export function encodeFooter(
  schema: Schema,
  dictionaries: readonly MessageBlock[],
  batches: readonly MessageBlock[],
): Uint8Array {
  const builder = new Builder(1024);
  const schemaOffset = encodeSchema(builder, schema);
  const dictionaryBlocks = encodeBlocks(builder, dictionaries, FbFooter.startDictionariesVector);
  const batchBlocks = encodeBlocks(builder, batches, FbFooter.startRecordBatchesVector);
  FbFooter.startFooter(builder);
  FbFooter.addVersion(builder, MetadataVersion.V5);
  FbFooter.addSchema(builder, schemaOffset);
  FbFooter.addDictionaries(builder, dictionaryBlocks);
  FbFooter.addRecordBatches(builder, batchBlocks);
  FbFooter.finishFooterBuffer(builder, FbFooter.endFooter(builder));
  return builder.asUint8Array();
}

/** How many record batches a footer lists. */
export function countBatches(footer: Uint8Array): number {
  return FbFooter.getRootAsFooter(openMetadata(footer)).recordBatchesLength();
}

/** Where each record batch of a footer's file stands. */
export function readBatchBlocks(bytes: Uint8Array): MessageBlock[] {
  const footer = FbFooter.getRootAsFooter(openMetadata(bytes));
  return Array.from({ length: footer.recordBatchesLength() }, (_, batch) => {
    const block = required(footer.recordBatches(batch), 'a block of the footer');
    return {
      start: checkedNumber(block.offset(), Number.MAX_SAFE_INTEGER, 'the start of a batch'),
      headerBytes: checkedNumber(BigInt(block.metaDataLength()), maxLength, 'the length of a header'),
      bodyBytes: checkedNumber(block.bodyLength(), Number.MAX_SAFE_INTEGER, 'the length of a body'),
    };
  });
}

function encodeBlocks(
  builder: Builder,
  blocks: readonly MessageBlock[],
  start: (builder: Builder, count: number) => void,
): Offset {
  start(builder, blocks.length);
  for (const block of blocks.toReversed())
    Block.createBlock(builder, BigInt(block.start), block.headerBytes, BigInt(block.bodyBytes));
  return builder.endVector();
}
