/** Schemas as Arrow IPC messages: the flatbuffer that Flight carries as a data header, and its encapsulated form. */
import { MessageHeader } from 'apache-arrow/fb/message-header';
import { Schema as FbSchema } from 'apache-arrow/fb/schema';
import { Builder } from 'flatbuffers';
import { FeatureStoreError } from '../errors.ts';
import { decodeSchema } from './decode-field.ts';
import { encodeSchema } from './encode-field.ts';
import { finishMessage, openMessage, peekMessage } from './message.ts';
import { malformed, required } from './metadata-reader.ts';
import type { Schema } from './schema.ts';
import { dataView } from './typed-view.ts';

/** A schema as a message without prefix. */
export function encodeSchemaMessage(schema: Schema): Uint8Array {
  const builder = new Builder(1024);
  return finishMessage(builder, MessageHeader.Schema, encodeSchema(builder, schema), 0);
}

/** Reads a schema message without prefix; INVALID_ARGUMENT where it is malformed, big-endian or of an unknown type. */
export function decodeSchemaMessage(header: Uint8Array): Schema {
  const message = openMessage(header);
  if (message.headerType() !== MessageHeader.Schema) {
    throw new FeatureStoreError(
      'INVALID_ARGUMENT',
      'Expected an Arrow schema message first, got another one; send the schema before any batch',
    );
  }
  return decodeSchema(required(message.header(new FbSchema()) as FbSchema | null, 'the schema'));
}

/**
 * A message with its prefix, as FlightInfo.schema, GetSchema and files carry it:
 * 4 bytes 0xFFFFFFFF | int32 length of what follows | flatbuffer | padding to 8 bytes.
 */
export function encapsulateMessage(header: Uint8Array): Uint8Array {
  const padded = Math.ceil(header.length / 8) * 8;
  const message = new Uint8Array(8 + padded);
  const view = dataView(message);
  view.setUint32(0, continuation, true);
  view.setInt32(4, padded, true);
  message.set(header, 8);
  return message;
}

export interface EncapsulatedMessage {
  /** The flatbuffer, padding included. */
  readonly header: Uint8Array;
  readonly bodyStart: number;
  /** Where the next message starts. */
  readonly bodyEnd: number;
}

/** Reads the message at `start` of bytes that hold it whole, prefix, flatbuffer and body. */
export function readEncapsulated(bytes: Uint8Array, start = 0): EncapsulatedMessage {
  const { headerStart, headerLength } = readPrefix(bytes, start);
  const bodyStart = headerStart + headerLength;
  if (bodyStart > bytes.length) throw malformed(`its prefix claims ${headerLength} bytes of metadata`);
  const header = bytes.subarray(headerStart, bodyStart);
  const bodyEnd = bodyStart + peekMessage(header).bodyLength;
  if (bodyEnd > bytes.length) throw malformed(`its body of ${bodyEnd - bodyStart} bytes is cut short`);
  return { header, bodyStart, bodyEnd };
}

/** Reads the prefix at `start`; the old one without 0xFFFFFFFF is understood too. Length 0 marks the end of a stream. */
export function readPrefix(bytes: Uint8Array, start: number): { headerStart: number; headerLength: number } {
  if (start + 4 > bytes.length) throw malformed('it is cut short in its prefix');
  const view = dataView(bytes);
  const headerStart = start + (view.getUint32(start, true) === continuation ? 8 : 4);
  if (headerStart > bytes.length) throw malformed('it is cut short in its prefix');
  const headerLength = view.getInt32(headerStart - 4, true);
  if (headerLength < 0) throw malformed(`its prefix claims ${headerLength} bytes of metadata`);
  return { headerStart, headerLength };
}

const continuation = 0xffffffff;
