/** The envelope of every Arrow IPC message: its kind, its body's length and its custom metadata. */
import { DictionaryBatch } from 'apache-arrow/fb/dictionary-batch';
import { Message } from 'apache-arrow/fb/message';
import { MessageHeader } from 'apache-arrow/fb/message-header';
import { MetadataVersion } from 'apache-arrow/fb/metadata-version';
import { RecordBatch } from 'apache-arrow/fb/record-batch';
import type { Builder, Offset } from 'flatbuffers';
import { FeatureStoreError } from '../errors.ts';
import { decodeMetadata } from './decode-field.ts';
import { checkedNumber, malformed, openMetadata, required } from './metadata-reader.ts';
import type { Metadata } from './schema.ts';

export interface MessageSummary {
  readonly kind: 'schema' | 'recordBatch' | 'dictionaryBatch';
  /** Bytes that follow the header. */
  readonly bodyLength: number;
  /** Rows of a batch or a dictionary, 0 for a schema. */
  readonly length: number;
  readonly metadata: Metadata;
}

/** What a message without prefix is, before its body is looked at. */
export function peekMessage(header: Uint8Array): MessageSummary {
  const message = openMessage(header);
  const bodyLength = checkedNumber(message.bodyLength(), Number.MAX_SAFE_INTEGER, 'the body length');
  const metadata = decodeMetadata(message);
  switch (message.headerType()) {
    case MessageHeader.Schema:
      return { kind: 'schema', bodyLength, length: 0, metadata };
    case MessageHeader.RecordBatch: {
      const batch = required(message.header(new RecordBatch()) as RecordBatch | null, 'the record batch');
      return { kind: 'recordBatch', bodyLength, length: checkedNumber(batch.length(), maxLength, 'the row count'), metadata };
    }
    case MessageHeader.DictionaryBatch: {
      const dictionary = required(message.header(new DictionaryBatch()) as DictionaryBatch | null, 'the dictionary batch');
      const batch = required(dictionary.data(), 'the dictionary');
      return { kind: 'dictionaryBatch', bodyLength, length: checkedNumber(batch.length(), maxLength, 'the row count'), metadata };
    }
    default:
      throw new FeatureStoreError(
        'INVALID_ARGUMENT',
        'Only schemas, record batches and dictionary batches are understood, not tensors',
      );
  }
}

/** Rows of one column, or bytes of one buffer, at most: what 32-bit offsets and typed arrays can index. */
export const maxLength = 2 ** 31 - 1;

/** Opens the flatbuffer of a message, with its reads checked; versions before V4 are refused. */
export function openMessage(header: Uint8Array): Message {
  if (header.length < 8) throw malformed('it is too short');
  const message = Message.getRootAsMessage(openMetadata(header));
  const version = message.version();
  if (version !== MetadataVersion.V4 && version !== MetadataVersion.V5)
    throw malformed(`its metadata version is ${version}, not V4 or V5`);
  return message;
}

/** Closes a message around a header table that has been written; its length is a multiple of 8. */
export function finishMessage(builder: Builder, kind: MessageHeader, header: Offset, bodyLength: number): Uint8Array {
  Message.startMessage(builder);
  Message.addVersion(builder, MetadataVersion.V5);
  Message.addHeaderType(builder, kind);
  Message.addHeader(builder, header);
  Message.addBodyLength(builder, BigInt(bodyLength));
  Message.finishMessageBuffer(builder, Message.endMessage(builder));
  return builder.asUint8Array();
}
