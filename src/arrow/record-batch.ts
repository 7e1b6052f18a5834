/** Record batches and dictionary batches as IPC messages: columns are views of the body, and a body is the columns' own buffers. */
import { BodyCompression } from 'apache-arrow/fb/body-compression';
import { BodyCompressionMethod } from 'apache-arrow/fb/body-compression-method';
import { Buffer as FbBuffer } from 'apache-arrow/fb/buffer';
import { DictionaryBatch as FbDictionaryBatch } from 'apache-arrow/fb/dictionary-batch';
import { FieldNode } from 'apache-arrow/fb/field-node';
import { MessageHeader } from 'apache-arrow/fb/message-header';
import { MetadataVersion } from 'apache-arrow/fb/metadata-version';
import { RecordBatch as FbRecordBatch } from 'apache-arrow/fb/record-batch';
import { Builder, type Offset } from 'flatbuffers';
import { FeatureStoreError } from '../errors.ts';
import { bodyReader } from './body.ts';
import type { Column } from './column.ts';
import { type Compression, codecNumber, compressBuffer } from './compression.ts';
import { decodeColumn } from './decode-column.ts';
import { hasValidity, layoutOf } from './layout.ts';
import { finishMessage, maxLength, openMessage } from './message.ts';
import { checkedNumber, malformed, required } from './metadata-reader.ts';
import type { Field, Schema } from './schema.ts';

export interface RecordBatch {
  readonly schema: Schema;
  /** Rows. */
  readonly length: number;
  readonly columns: readonly Column[];
}

/** Values of a dictionary; a delta is to be appended to what came before. */
export interface DictionaryBatch {
  readonly id: bigint;
  readonly isDelta: boolean;
  readonly values: Column;
}

export interface DecodeOptions {
  /** Bytes that one compressed body may grow to; default 2 GiB. More is RESOURCE_EXHAUSTED. */
  readonly maxDecodedBytes?: number;
}

export interface EncodeOptions {
  /** Compress each buffer; default none. */
  readonly compression?: Compression;
  /** Bytes that buffers are aligned and padded to; default 8, 64 for files. */
  readonly alignment?: 8 | 64;
}

/** An IPC message: `body` are buffers and padding in order, not copied, `bodyLength` bytes together. */
export interface EncodedMessage {
  readonly header: Uint8Array;
  readonly body: readonly Uint8Array[];
  readonly bodyLength: number;
}

/**
 * Reads a batch without copying: its columns are views of `body`, which must stay unchanged while they are used. Whatever the
 * bytes are, each column can be read afterwards without leaving them: INVALID_ARGUMENT otherwise.
 */
export function decodeRecordBatch(
  schema: Schema,
  header: Uint8Array,
  body: Uint8Array,
  options: DecodeOptions = {},
): RecordBatch {
  const message = openMessage(header);
  if (message.headerType() !== MessageHeader.RecordBatch) throw malformed('a record batch was expected');
  const batch = required(message.header(new FbRecordBatch()) as FbRecordBatch | null, 'the record batch');
  const [length, columns] = decodeColumns(schema.fields, batch, body, message.version(), options);
  return { schema, length, columns };
}

/** Reads a dictionary of a field of the schema, as decodeRecordBatch reads columns. */
export function decodeDictionaryBatch(
  schema: Schema,
  header: Uint8Array,
  body: Uint8Array,
  options: DecodeOptions = {},
): DictionaryBatch {
  const message = openMessage(header);
  if (message.headerType() !== MessageHeader.DictionaryBatch) throw malformed('a dictionary batch was expected');
  const batch = required(message.header(new FbDictionaryBatch()) as FbDictionaryBatch | null, 'the dictionary batch');
  const field = findDictionary(schema.fields, batch.id());
  if (field === undefined) throw malformed(`dictionary ${batch.id()} belongs to no column of the schema`);
  const data = required(batch.data(), 'the dictionary');
  const [, columns] = decodeColumns([dictionaryValues(field)], data, body, message.version(), options);
  return { id: batch.id(), isDelta: batch.isDelta(), values: columns[0] as Column };
}

/** Writes a batch: only its header is made, the buffers are handed on as they are (or compressed). */
export function encodeRecordBatch(batch: RecordBatch, options: EncodeOptions = {}): EncodedMessage {
  const builder = new Builder(1024);
  const body = encodeBody(builder, batch.length, batch.columns, options);
  return { ...body, header: finishMessage(builder, MessageHeader.RecordBatch, body.table, body.bodyLength) };
}

/** Writes a dictionary; `values` is its column. */
export function encodeDictionaryBatch(dictionary: DictionaryBatch, options: EncodeOptions = {}): EncodedMessage {
  const builder = new Builder(1024);
  const { values } = dictionary;
  const body = encodeBody(builder, values.length, [values], options);
  FbDictionaryBatch.startDictionaryBatch(builder);
  FbDictionaryBatch.addId(builder, dictionary.id);
  FbDictionaryBatch.addData(builder, body.table);
  FbDictionaryBatch.addIsDelta(builder, dictionary.isDelta);
  const table = FbDictionaryBatch.endDictionaryBatch(builder);
  return { ...body, header: finishMessage(builder, MessageHeader.DictionaryBatch, table, body.bodyLength) };
}

/** The field of a dictionary's values: the column's, without the encoding. */
export function dictionaryValues(field: Field): Field {
  const { dictionary: _, ...values } = field;
  return values;
}

/** The first field, children included, that is encoded by a dictionary of this id. */
function findDictionary(fields: readonly Field[], id: bigint): Field | undefined {
  for (const field of fields) {
    if (field.dictionary?.id === id) return field;
    const found = findDictionary(field.children, id);
    if (found !== undefined) return found;
  }
  return undefined;
}

function decodeColumns(
  fields: readonly Field[],
  batch: FbRecordBatch,
  body: Uint8Array,
  version: MetadataVersion,
  { maxDecodedBytes = 2 ** 31 }: DecodeOptions,
): [number, Column[]] {
  if (version === MetadataVersion.V4 && fields.some(containsUnion)) {
    throw new FeatureStoreError(
      'INVALID_ARGUMENT',
      'Unions of Arrow metadata version 4 are not understood; write them with Arrow 1.0 or later',
    );
  }
  const length = checkedNumber(batch.length(), maxLength, 'the row count');
  const reader = bodyReader(batch, body, maxDecodedBytes);
  const columns = fields.map((field) => decodeColumn(reader, field));
  for (const column of columns) {
    if (column.length !== length)
      throw malformed(`column "${column.field.name}" has ${column.length} rows in a batch of ${length}`);
  }
  return [length, columns];
}

function containsUnion(field: Field): boolean {
  return field.type.id === 'union' || field.children.some(containsUnion);
}

interface EncodedBody {
  readonly table: Offset;
  readonly body: Uint8Array[];
  readonly bodyLength: number;
}

function encodeBody(builder: Builder, length: number, columns: readonly Column[], options: EncodeOptions): EncodedBody {
  const flat: FlatColumns = { nodes: [], buffers: [], variadic: [] };
  for (const column of columns) flatten(column, flat);
  const buffers = options.compression === undefined ? flat.buffers : flat.buffers.map(compressor(options.compression));
  const alignment = options.alignment ?? 8;
  const body: Uint8Array[] = [];
  const starts: number[] = [];
  let at = 0;
  for (const buffer of buffers) {
    starts.push(at);
    if (buffer.byteLength === 0) continue;
    body.push(buffer);
    const padding = -buffer.byteLength & (alignment - 1);
    if (padding > 0) body.push(zeros.subarray(0, padding));
    at += buffer.byteLength + padding;
  }
  const table = encodeTable(builder, length, flat, buffers, starts, options.compression);
  return { table, body, bodyLength: at };
}

const zeros = new Uint8Array(64);

interface FlatColumns {
  readonly nodes: Column[];
  readonly buffers: Uint8Array[];
  readonly variadic: bigint[];
}

/** Depth first, as the format wants: a column's node and buffers, then its children's. */
function flatten(column: Column, into: FlatColumns): void {
  const layout = layoutOf(column.field);
  into.nodes.push(column);
  if (hasValidity(layout)) into.buffers.push(column.nullCount > 0 && column.validity !== undefined ? column.validity : noBytes);
  into.buffers.push(...column.buffers);
  if (layout.kind === 'views') into.variadic.push(BigInt(column.buffers.length - 1));
  for (const child of column.children) flatten(child, into);
}

const noBytes = new Uint8Array(0);

function compressor(compression: Compression): (buffer: Uint8Array) => Uint8Array {
  return (buffer) => compressBuffer(buffer, compression);
}

function encodeTable(
  builder: Builder,
  length: number,
  flat: FlatColumns,
  buffers: readonly Uint8Array[],
  starts: readonly number[],
  compression: Compression | undefined,
): Offset {
  FbRecordBatch.startNodesVector(builder, flat.nodes.length);
  for (const { length: rows, nullCount } of flat.nodes.toReversed())
    FieldNode.createFieldNode(builder, BigInt(rows), BigInt(nullCount));
  const nodes = builder.endVector();
  FbRecordBatch.startBuffersVector(builder, buffers.length);
  for (let i = buffers.length - 1; i >= 0; i--) {
    FbBuffer.createBuffer(builder, BigInt(starts[i] as number), BigInt((buffers[i] as Uint8Array).byteLength));
  }
  const bufferTable = builder.endVector();
  const variadic = flat.variadic.length === 0 ? 0 : FbRecordBatch.createVariadicBufferCountsVector(builder, flat.variadic);
  const codec =
    compression === undefined
      ? 0
      : BodyCompression.createBodyCompression(builder, codecNumber(compression), BodyCompressionMethod.BUFFER);
  FbRecordBatch.startRecordBatch(builder);
  FbRecordBatch.addLength(builder, BigInt(length));
  FbRecordBatch.addNodes(builder, nodes);
  FbRecordBatch.addBuffers(builder, bufferTable);
  if (codec !== 0) FbRecordBatch.addCompression(builder, codec);
  if (variadic !== 0) FbRecordBatch.addVariadicBufferCounts(builder, variadic);
  return FbRecordBatch.endRecordBatch(builder);
}
