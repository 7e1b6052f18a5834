/** Events as Arrow: a record is an IPC stream, of any number of batches, whose rows are events. */
import type { Column } from '../../arrow/column.ts';
import { addDictionary, type Dictionaries } from '../../arrow/dictionaries.ts';
import { peekMessage } from '../../arrow/message.ts';
import { decodeDictionaryColumn } from '../../arrow/plain.ts';
import { readValue } from '../../arrow/read-value.ts';
import { decodeDictionaryBatch, decodeRecordBatch, type RecordBatch } from '../../arrow/record-batch.ts';
import { type Field, formatType } from '../../arrow/schema.ts';
import { decodeSchemaMessage, readEncapsulated, readPrefix } from '../../arrow/schema-message.ts';
import { formatDay } from '../../definitions/day.ts';
import { FeatureStoreError } from '../../errors.ts';
import type { EventCollector } from './collect-events.ts';
import { TypedTime } from './read-time.ts';
import { toJson } from './refusal.ts';

/** Rows take next to nothing where all their values are null. */
const maxEvents = 1_000_000;
/** Compressed bodies may grow to so many times the largest record. */
const maxGrowth = 16;

/** INVALID_ARGUMENT where the stream is malformed, or cut short before its end mark: then none of its events counts. */
export function readArrowEvents(
  offset: bigint,
  value: Uint8Array,
  events: EventCollector,
  names: readonly string[],
  maxRecordBytes: number,
): void {
  for (const { length, rows, ignored } of readBatches(value, names, maxGrowth * maxRecordBytes)) {
    for (const name of ignored) events.ignore(name, offset, length);
    for (let row = 0; row < length; row++) {
      const event = Object.fromEntries(rows.map(([name, read]) => [name, read(row)]));
      events.add(offset, event, () => Buffer.from(toJson(event)));
    }
  }
}

type ReadRaw = (row: number) => unknown;

interface EventBatch {
  readonly length: number;
  readonly rows: readonly (readonly [name: string, read: ReadRaw])[];
  /** Columns that nobody declared. */
  readonly ignored: readonly string[];
}

/** All batches, so that what is malformed further behind is known before the first event is taken. */
function readBatches(bytes: Uint8Array, names: readonly string[], maxDecodedBytes: number): EventBatch[] {
  const first = readEncapsulated(bytes);
  const schema = decodeSchemaMessage(first.header);
  const batches: EventBatch[] = [];
  let dictionaries: Dictionaries = new Map();
  let count = 0;
  for (let at = first.bodyEnd; ; ) {
    if (at >= bytes.byteLength) throw malformed('it ends without the mark that ends it, and may be cut short');
    const { headerStart, headerLength } = readPrefix(bytes, at);
    if (headerLength === 0 && headerStart < bytes.byteLength) throw malformed('something stands behind its end');
    if (headerLength === 0) return batches;
    const { header, bodyStart, bodyEnd } = readEncapsulated(bytes, at);
    const body = bytes.subarray(bodyStart, bodyEnd);
    at = bodyEnd;
    if (peekMessage(header).kind === 'dictionaryBatch') {
      dictionaries = addDictionary(dictionaries, decodeDictionaryBatch(schema, header, body, { maxDecodedBytes }));
      continue;
    }
    const batch = decodeRecordBatch(schema, header, body, { maxDecodedBytes });
    count += batch.length;
    if (count > maxEvents) throw malformed(`it has more than ${maxEvents} events; send several records`);
    batches.push(compileBatch(batch, dictionaries, names));
  }
}

function compileBatch({ length, columns }: RecordBatch, dictionaries: Dictionaries, names: readonly string[]): EventBatch {
  const wanted = columns.filter(({ field }) => names.includes(field.name));
  const ignored = columns.flatMap(({ field }) => (names.includes(field.name) ? [] : [field.name]));
  return { length, rows: wanted.map((column) => [column.field.name, compileColumn(column, dictionaries)]), ignored };
}

function compileColumn(column: Column, dictionaries: Dictionaries): ReadRaw {
  const { dictionary, name } = column.field;
  const values = dictionary === undefined ? undefined : dictionaries.get(dictionary.id);
  if (dictionary !== undefined && values === undefined) throw malformed(`column "${name}" has no dictionary`);
  const plain = values === undefined ? column : decodeDictionaryColumn(column, values);
  const convert = compileConvert(plain.field, name);
  return (row) => {
    const value = readValue(plain, row);
    return value === null ? null : convert(value);
  };
}

const nsOf = { s: 1_000_000_000n, ms: 1_000_000n, us: 1000n, ns: 1n } as const;

/** Of a value that is not null. */
function compileConvert(field: Field, column: string): (value: unknown) => unknown {
  const { type } = field;
  switch (type.id) {
    case 'timestamp': {
      const unit = nsOf[type.unit];
      const isLocal = type.timezone === undefined;
      return (value) => new TypedTime((value as bigint) * unit, isLocal);
    }
    case 'date':
      return type.unit === 'day'
        ? (value) => formatDay(value as number)
        : (value) => formatDay(Math.floor(Number(value) / 86_400_000));
    case 'binary':
    case 'largeBinary':
    case 'binaryView':
    case 'fixedSizeBinary':
      return (value) => (value as Uint8Array).slice();
    case 'list':
    case 'largeList':
    case 'listView':
    case 'largeListView':
    case 'fixedSizeList': {
      const child = field.children[0] as Field;
      if (child.dictionary !== undefined) throw malformed(`column "${column}" is ${formatType(field)}, which is not read`);
      const convert = compileConvert(child, column);
      return (value) => (value as unknown[]).map((item) => (item === null ? null : convert(item)));
    }
    default:
      return (value) => value;
  }
}

function malformed(why: string): FeatureStoreError {
  return new FeatureStoreError('INVALID_ARGUMENT', `the Arrow stream cannot be read: ${why}`);
}
