/** Schema metadata to fields: every type of the format, or an error that says what is not understood. */
import { Date as FbDate } from 'apache-arrow/fb/date';
import { DateUnit } from 'apache-arrow/fb/date-unit';
import { Decimal } from 'apache-arrow/fb/decimal';
import { Duration } from 'apache-arrow/fb/duration';
import { Endianness } from 'apache-arrow/fb/endianness';
import type { Field as FbField } from 'apache-arrow/fb/field';
import { FixedSizeBinary } from 'apache-arrow/fb/fixed-size-binary';
import { FixedSizeList } from 'apache-arrow/fb/fixed-size-list';
import { FloatingPoint } from 'apache-arrow/fb/floating-point';
import { Int } from 'apache-arrow/fb/int';
import { Interval } from 'apache-arrow/fb/interval';
import type { KeyValue } from 'apache-arrow/fb/key-value';
import { Map as FbMap } from 'apache-arrow/fb/map';
import type { Schema as FbSchema } from 'apache-arrow/fb/schema';
import { Time } from 'apache-arrow/fb/time';
import { Timestamp } from 'apache-arrow/fb/timestamp';
import { Type } from 'apache-arrow/fb/type';
import { Union } from 'apache-arrow/fb/union';
import { UnionMode } from 'apache-arrow/fb/union-mode';
import { Encoding } from 'flatbuffers';
import { FeatureStoreError } from '../errors.ts';
import { decodeUtf8, malformed, maxNesting, required } from './metadata-reader.ts';
import type { ArrowType, Field, Metadata, Schema, TimeUnit } from './schema.ts';

/** Reads a schema table; big-endian data is refused, for nothing here would read its values right. */
export function decodeSchema(schema: FbSchema): Schema {
  if (schema.endianness() !== Endianness.Little) {
    throw new FeatureStoreError('INVALID_ARGUMENT', 'The Arrow data is big-endian; send it little-endian');
  }
  // Every field takes 16 bytes or more, but tables may be shared: the budget stops a small message from unfolding into a huge one.
  const budget = { fields: (schema.bb?.capacity() ?? 0) / 16 };
  const fields = decodeList(
    schema.fieldsLength(),
    (i) => schema.fields(i),
    (child) => decodeField(child, 0, budget),
  );
  return { fields, metadata: decodeMetadata(schema) };
}

/** Any table with custom metadata: schemas, fields, messages and footers have it in common. */
export function decodeMetadata(table: { customMetadata(i: number): KeyValue | null; customMetadataLength(): number }): Metadata {
  const metadata = new Map<string, string | Uint8Array>();
  for (let i = 0; i < table.customMetadataLength(); i++) {
    const entry = required(table.customMetadata(i), 'a metadata entry');
    const value = entry.value(Encoding.UTF8_BYTES) as Uint8Array | null;
    metadata.set(entry.key() ?? '', value === null ? '' : (decodeUtf8(value) ?? new Uint8Array(value)));
  }
  return metadata;
}

function decodeField(field: FbField, depth: number, budget: { fields: number }): Field {
  if (depth > maxNesting) throw malformed(`its types nest more than ${maxNesting} deep`);
  if (--budget.fields < 0) throw malformed('it claims more fields than its bytes can hold');
  const children = decodeList(
    field.childrenLength(),
    (i) => field.children(i),
    (child) => decodeField(child, depth + 1, budget),
  );
  const name = (field.name() as string | null) ?? '';
  const type = decodeType(field, name);
  checkChildren(name, type, children);
  const dictionary = decodeDictionary(field, name);
  return { name, type, nullable: field.nullable(), children, ...dictionary, metadata: decodeMetadata(field) };
}

function decodeDictionary(field: FbField, name: string): Pick<Field, 'dictionary'> {
  const encoding = field.dictionary();
  if (encoding === null) return {};
  const index = encoding.indexType();
  const indexBits = index === null ? 32 : oneOf(index.bitWidth(), [8, 16, 32, 64] as const, `the index width of "${name}"`);
  return {
    dictionary: { id: encoding.id(), indexBits, indexSigned: index?.isSigned() ?? true, ordered: encoding.isOrdered() },
  };
}

function decodeType(field: FbField, name: string): ArrowType {
  const table = <T>(empty: T): T => required(field.type(empty) as T | null, `the type of "${name}"`);
  switch (field.typeType()) {
    case Type.Null:
      return { id: 'null' };
    case Type.Bool:
      return { id: 'bool' };
    case Type.Int: {
      const int = table(new Int());
      const bits = oneOf(int.bitWidth(), [8, 16, 32, 64] as const, `the width of "${name}"`);
      return { id: 'int', bits, signed: int.isSigned() };
    }
    case Type.FloatingPoint:
      return { id: 'float', bits: at([16, 32, 64] as const, table(new FloatingPoint()).precision(), name) };
    case Type.Decimal: {
      const decimal = table(new Decimal());
      const bits = oneOf(decimal.bitWidth(), [32, 64, 128, 256] as const, `the width of "${name}"`);
      return { id: 'decimal', bits, precision: decimal.precision(), scale: decimal.scale() };
    }
    case Type.Utf8:
      return { id: 'utf8' };
    case Type.LargeUtf8:
      return { id: 'largeUtf8' };
    case Type.Utf8View:
      return { id: 'utf8View' };
    case Type.Binary:
      return { id: 'binary' };
    case Type.LargeBinary:
      return { id: 'largeBinary' };
    case Type.BinaryView:
      return { id: 'binaryView' };
    case Type.FixedSizeBinary: {
      const width = table(new FixedSizeBinary()).byteWidth();
      if (width < 0) throw malformed(`the width of "${name}" is ${width}`);
      return { id: 'fixedSizeBinary', width };
    }
    case Type.Date:
      return { id: 'date', unit: table(new FbDate()).unit() === DateUnit.DAY ? 'day' : 'ms' };
    case Type.Time: {
      const time = table(new Time());
      const bits = oneOf(time.bitWidth(), [32, 64] as const, `the width of "${name}"`);
      const unit = decodeUnit(time.unit(), name);
      if ((bits === 32) !== (unit === 's' || unit === 'ms')) throw malformed(`"${name}" is a time in ${unit} of ${bits} bits`);
      return { id: 'time', unit, bits };
    }
    case Type.Timestamp: {
      const timestamp = table(new Timestamp());
      const timezone = timestamp.timezone() as string | null;
      return { id: 'timestamp', unit: decodeUnit(timestamp.unit(), name), ...(timezone ? { timezone } : {}) };
    }
    case Type.Duration:
      return { id: 'duration', unit: decodeUnit(table(new Duration()).unit(), name) };
    case Type.Interval:
      return { id: 'interval', unit: at(['yearMonth', 'dayTime', 'monthDayNano'] as const, table(new Interval()).unit(), name) };
    case Type.List:
      return { id: 'list' };
    case Type.LargeList:
      return { id: 'largeList' };
    case Type.ListView:
      return { id: 'listView' };
    case Type.LargeListView:
      return { id: 'largeListView' };
    case Type.FixedSizeList: {
      const size = table(new FixedSizeList()).listSize();
      if (size < 0) throw malformed(`the list size of "${name}" is ${size}`);
      return { id: 'fixedSizeList', size };
    }
    case Type.Struct_:
      return { id: 'struct' };
    case Type.Map:
      return { id: 'map', keysSorted: table(new FbMap()).keysSorted() };
    case Type.Union:
      return decodeUnion(table(new Union()), field.childrenLength(), name);
    case Type.RunEndEncoded:
      return { id: 'runEndEncoded' };
    default:
      throw new FeatureStoreError(
        'INVALID_ARGUMENT',
        `Column "${name}" has Arrow type number ${field.typeType()}, which is not known here`,
      );
  }
}

function decodeUnion(union: Union, children: number, name: string): ArrowType {
  const declared = Array.from({ length: union.typeIdsLength() }, (_, i) => union.typeIds(i) ?? 0);
  const typeIds = declared.length === 0 ? Array.from({ length: children }, (_, i) => i) : declared;
  if (new Set(typeIds).size !== typeIds.length || typeIds.some((id) => id < 0 || id > 127)) {
    throw malformed(`the type ids of union "${name}" are not different numbers from 0 to 127`);
  }
  return { id: 'union', mode: union.mode() === UnionMode.Sparse ? 'sparse' : 'dense', typeIds };
}

const timeUnits = ['s', 'ms', 'us', 'ns'] as const;

function decodeUnit(unit: number, name: string): TimeUnit {
  return at(timeUnits, unit, name);
}

function at<T>(values: readonly T[], index: number, name: string): T {
  const value = values[index];
  if (value === undefined) throw malformed(`the type of "${name}" has a setting ${index}, which is not known`);
  return value;
}

function oneOf<T extends number>(value: number, allowed: readonly T[], what: string): T {
  const found = allowed.find((candidate) => candidate === value);
  if (found === undefined) throw malformed(`${what} is ${value} bits`);
  return found;
}

function decodeList<T>(length: number, read: (index: number) => T | null, decode: (entry: T) => Field): Field[] {
  return Array.from({ length }, (_, i) => decode(required(read(i), 'a field')));
}

function checkChildren(name: string, type: ArrowType, children: readonly Field[]): void {
  const wanted = childCount(type);
  if (wanted !== undefined && children.length !== wanted) {
    throw malformed(`"${name}" of type ${type.id} has ${children.length} children, not ${wanted}`);
  }
  const first = children[0];
  if (type.id === 'map' && (first?.type.id !== 'struct' || first.children.length !== 2)) {
    throw malformed(`the entries of map "${name}" are not pairs`);
  }
  if (
    type.id === 'runEndEncoded' &&
    !(first?.type.id === 'int' && first.type.signed && first.type.bits > 8 && !first.dictionary)
  ) {
    throw malformed(`the run ends of "${name}" are not signed integers of 16, 32 or 64 bits`);
  }
}

function childCount(type: ArrowType): number | undefined {
  switch (type.id) {
    case 'list':
    case 'largeList':
    case 'listView':
    case 'largeListView':
    case 'fixedSizeList':
    case 'map':
      return 1;
    case 'runEndEncoded':
      return 2;
    case 'struct':
      return undefined;
    case 'union':
      return type.typeIds.length;
    default:
      return 0;
  }
}
