/** Fields to schema metadata: the inverse of decode-field.ts. */
import { Bool } from 'apache-arrow/fb/bool';
import { Date as FbDate } from 'apache-arrow/fb/date';
import { DateUnit } from 'apache-arrow/fb/date-unit';
import { Decimal } from 'apache-arrow/fb/decimal';
import { DictionaryEncoding } from 'apache-arrow/fb/dictionary-encoding';
import { Duration } from 'apache-arrow/fb/duration';
import { Endianness } from 'apache-arrow/fb/endianness';
import { Field as FbField } from 'apache-arrow/fb/field';
import { FixedSizeBinary } from 'apache-arrow/fb/fixed-size-binary';
import { FixedSizeList } from 'apache-arrow/fb/fixed-size-list';
import { FloatingPoint } from 'apache-arrow/fb/floating-point';
import { Int } from 'apache-arrow/fb/int';
import { Interval } from 'apache-arrow/fb/interval';
import { KeyValue } from 'apache-arrow/fb/key-value';
import { Map as FbMap } from 'apache-arrow/fb/map';
import { Schema as FbSchema } from 'apache-arrow/fb/schema';
import { Time } from 'apache-arrow/fb/time';
import { Timestamp } from 'apache-arrow/fb/timestamp';
import { Type } from 'apache-arrow/fb/type';
import { Union } from 'apache-arrow/fb/union';
import { UnionMode } from 'apache-arrow/fb/union-mode';
import type { Builder, Offset } from 'flatbuffers';
import type { ArrowType, Field, Metadata, Schema } from './schema.ts';

/** Writes a schema table and answers its offset. */
export function encodeSchema(builder: Builder, schema: Schema): Offset {
  const fields = schema.fields.map((field) => encodeField(builder, field));
  const fieldsOffset = FbSchema.createFieldsVector(builder, fields);
  const metadata = encodeMetadata(builder, schema.metadata);
  FbSchema.startSchema(builder);
  FbSchema.addEndianness(builder, Endianness.Little);
  FbSchema.addFields(builder, fieldsOffset);
  if (metadata !== 0) FbSchema.addCustomMetadata(builder, metadata);
  return FbSchema.endSchema(builder);
}

/** Writes key-value metadata and answers the vector's offset, 0 where there is none. */
function encodeMetadata(builder: Builder, metadata: Metadata): Offset {
  if (metadata.size === 0) return 0;
  const entries = Array.from(metadata, ([key, value]) =>
    KeyValue.createKeyValue(builder, builder.createString(key), builder.createString(value)),
  );
  return FbSchema.createCustomMetadataVector(builder, entries);
}

function encodeField(builder: Builder, field: Field): Offset {
  const name = builder.createString(field.name);
  const [typeType, type] = encodeType(builder, field.type);
  const children = field.children.map((child) => encodeField(builder, child));
  const childrenOffset = FbField.createChildrenVector(builder, children);
  const dictionary = encodeDictionary(builder, field);
  const metadata = encodeMetadata(builder, field.metadata);
  FbField.startField(builder);
  FbField.addName(builder, name);
  FbField.addNullable(builder, field.nullable);
  FbField.addTypeType(builder, typeType);
  FbField.addType(builder, type);
  if (dictionary !== 0) FbField.addDictionary(builder, dictionary);
  FbField.addChildren(builder, childrenOffset);
  if (metadata !== 0) FbField.addCustomMetadata(builder, metadata);
  return FbField.endField(builder);
}

function encodeDictionary(builder: Builder, field: Field): Offset {
  const dictionary = field.dictionary;
  if (!dictionary) return 0;
  const index = Int.createInt(builder, dictionary.indexBits, dictionary.indexSigned);
  DictionaryEncoding.startDictionaryEncoding(builder);
  DictionaryEncoding.addId(builder, dictionary.id);
  DictionaryEncoding.addIndexType(builder, index);
  DictionaryEncoding.addIsOrdered(builder, dictionary.ordered);
  return DictionaryEncoding.endDictionaryEncoding(builder);
}

function encodeType(builder: Builder, type: ArrowType): [Type, Offset] {
  switch (type.id) {
    case 'bool':
      return [Type.Bool, Bool.createBool(builder)];
    case 'int':
      return [Type.Int, Int.createInt(builder, type.bits, type.signed)];
    case 'float':
      return [Type.FloatingPoint, FloatingPoint.createFloatingPoint(builder, [16, 32, 64].indexOf(type.bits))];
    case 'decimal':
      return [Type.Decimal, Decimal.createDecimal(builder, type.precision, type.scale, type.bits)];
    case 'fixedSizeBinary':
      return [Type.FixedSizeBinary, FixedSizeBinary.createFixedSizeBinary(builder, type.width)];
    case 'date':
      return [Type.Date, FbDate.createDate(builder, type.unit === 'day' ? DateUnit.DAY : DateUnit.MILLISECOND)];
    case 'time':
      return [Type.Time, Time.createTime(builder, unitNumber(type.unit), type.bits)];
    case 'timestamp':
      return [Type.Timestamp, encodeTimestamp(builder, unitNumber(type.unit), type.timezone)];
    case 'duration':
      return [Type.Duration, Duration.createDuration(builder, unitNumber(type.unit))];
    case 'interval':
      return [Type.Interval, Interval.createInterval(builder, ['yearMonth', 'dayTime', 'monthDayNano'].indexOf(type.unit))];
    case 'fixedSizeList':
      return [Type.FixedSizeList, FixedSizeList.createFixedSizeList(builder, type.size)];
    case 'map':
      return [Type.Map, FbMap.createMap(builder, type.keysSorted)];
    case 'union': {
      const typeIds = Union.createTypeIdsVector(builder, Int32Array.from(type.typeIds));
      return [Type.Union, Union.createUnion(builder, type.mode === 'sparse' ? UnionMode.Sparse : UnionMode.Dense, typeIds)];
    }
    default:
      return [typesWithoutSettings[type.id], Bool.createBool(builder)];
  }
}

/** Their tables have no slots, so that one empty table serves for all. */
const typesWithoutSettings = {
  null: Type.Null,
  utf8: Type.Utf8,
  largeUtf8: Type.LargeUtf8,
  utf8View: Type.Utf8View,
  binary: Type.Binary,
  largeBinary: Type.LargeBinary,
  binaryView: Type.BinaryView,
  list: Type.List,
  largeList: Type.LargeList,
  listView: Type.ListView,
  largeListView: Type.LargeListView,
  struct: Type.Struct_,
  runEndEncoded: Type.RunEndEncoded,
} as const;

function encodeTimestamp(builder: Builder, unit: number, timezone: string | undefined): Offset {
  const zone = timezone === undefined ? 0 : builder.createString(timezone);
  Timestamp.startTimestamp(builder);
  Timestamp.addUnit(builder, unit);
  if (zone !== 0) Timestamp.addTimezone(builder, zone);
  return Timestamp.endTimestamp(builder);
}

function unitNumber(unit: 's' | 'ms' | 'us' | 'ns'): number {
  return ['s', 'ms', 'us', 'ns'].indexOf(unit);
}
