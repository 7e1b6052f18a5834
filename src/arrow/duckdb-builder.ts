/** Builders of Arrow columns out of DuckDB's vectors, one for each physical layout; types are told apart once, not per value. */
import {
  type DuckDBArrayType,
  type DuckDBDecimalType,
  type DuckDBEnumType,
  type DuckDBListType,
  type DuckDBMapType,
  type DuckDBStructType,
  type DuckDBType,
  DuckDBTypeId,
} from '@duckdb/node-api';
import duckdb from '@duckdb/node-bindings';
import { FeatureStoreError } from '../errors.ts';
import { getBit } from './bitmap.ts';
import { duckdbField } from './duckdb-field.ts';
import { createEnumBuilder, createTextBuilder, createUuidBuilder } from './duckdb-text.ts';
import { decimalWriter, hugeintWriter, intervalWriter, type ValueWriter } from './duckdb-values.ts';
import { type ColumnBuilder, readValidity, withFirstOffset } from './duckdb-vector.ts';
import { appendBooleans, createGrowingBytes, createGrowingValidity, grow, takeBytes } from './growing-bytes.ts';
import { layoutOf } from './layout.ts';
import { type Field, formatType } from './schema.ts';
import { checkTotal } from './take.ts';
import { int32View } from './typed-view.ts';

/** A builder of a field's column from vectors of a DuckDB type; INTERNAL where the two do not belong together. */
export function createBuilder(field: Field, type: DuckDBType): ColumnBuilder {
  const came = duckdbField(field.name, type);
  if (typeShape(came) !== typeShape(field)) {
    throw new FeatureStoreError(
      'INTERNAL',
      `Column "${field.name}" arrived from DuckDB as ${type} where ${formatType(field)} was planned`,
    );
  }
  const child = (index: number, childType: DuckDBType) => createBuilder(field.children[index] as Field, childType);
  switch (type.typeId) {
    case DuckDBTypeId.SQLNULL:
      return createNullBuilder(field);
    case DuckDBTypeId.BOOLEAN:
      return createBoolBuilder(field);
    case DuckDBTypeId.VARCHAR:
    case DuckDBTypeId.BLOB:
      return createTextBuilder(field);
    case DuckDBTypeId.UUID:
      return createUuidBuilder(field);
    case DuckDBTypeId.ENUM:
      return createEnumBuilder(field, type as DuckDBEnumType);
    case DuckDBTypeId.DECIMAL:
      return createValueBuilder(field, decimalWriter((type as DuckDBDecimalType).width));
    case DuckDBTypeId.HUGEINT:
    case DuckDBTypeId.UHUGEINT:
      return createValueBuilder(field, hugeintWriter(field.name, type.typeId === DuckDBTypeId.HUGEINT));
    case DuckDBTypeId.INTERVAL:
      return createValueBuilder(field, intervalWriter(field.name));
    case DuckDBTypeId.LIST:
      return createListBuilder(field, child(0, (type as DuckDBListType).valueType));
    case DuckDBTypeId.MAP: {
      const { keyType, valueType } = type as DuckDBMapType;
      const entries = field.children[0] as Field;
      const parts = [keyType, valueType].map((part, index) => createBuilder(entries.children[index] as Field, part));
      return createListBuilder(field, createStructBuilder(entries, parts));
    }
    case DuckDBTypeId.ARRAY: {
      const { valueType, length } = type as DuckDBArrayType;
      return createArrayBuilder(field, length, child(0, valueType));
    }
    case DuckDBTypeId.STRUCT:
      return createStructBuilder(
        field,
        (type as DuckDBStructType).entryTypes.map((entry, index) => child(index, entry)),
      );
    default: {
      const layout = layoutOf(field);
      return createCopyBuilder(field, layout.kind === 'fixed' ? layout.bytes : 8);
    }
  }
}

/** The type without the names of list items, which differ by writer. */
function typeShape(field: Field): string {
  return field.type.id === 'map' ? `map<${field.children[0]?.children.map(typeShape).join(', ')}>` : formatType(field);
}

function createNullBuilder(field: Field): ColumnBuilder {
  let length = 0;
  return {
    load() {},
    append(_, count) {
      length += count;
    },
    bytes: () => 0,
    take() {
      const column = { field, length, nullCount: length, buffers: [], children: [] };
      length = 0;
      return column;
    },
  };
}

/** Values that Arrow writes just as DuckDB does. Null rows hold zeros, so that equal rows are equal bytes. */
function createCopyBuilder(field: Field, width: number): ColumnBuilder {
  const data = createGrowingBytes();
  const validity = createGrowingValidity();
  let bytes: Uint8Array;
  let nulls: Uint8Array | undefined;
  return {
    load(vector, size) {
      bytes = duckdb.vector_get_data(vector, size * width);
      nulls = readValidity(vector, size);
    },
    append(start, count) {
      const at = grow(data, count * width);
      data.bytes.set(bytes.subarray(start * width, (start + count) * width), at);
      if (nulls !== undefined) {
        for (let i = 0; i < count; i++) if (!getBit(nulls, start + i)) data.bytes.fill(0, at + i * width, at + (i + 1) * width);
      }
      validity.append(nulls, start, count);
    },
    bytes: () => data.length,
    take: () => ({ field, ...validity.take(), buffers: [takeBytes(data)], children: [] }),
  };
}

function createBoolBuilder(field: Field): ColumnBuilder {
  const bits = createGrowingBytes();
  const validity = createGrowingValidity();
  let length = 0;
  let values: Uint8Array;
  let nulls: Uint8Array | undefined;
  return {
    load(vector, size) {
      values = duckdb.vector_get_data(vector, size);
      nulls = readValidity(vector, size);
    },
    append(start, count) {
      const run = values.slice(start, start + count);
      if (nulls !== undefined) for (let i = 0; i < count; i++) if (!getBit(nulls, start + i)) run[i] = 0;
      appendBooleans(bits, length, run);
      validity.append(nulls, start, count);
      length += count;
    },
    bytes: () => bits.length,
    take() {
      length = 0;
      return { field, ...validity.take(), buffers: [takeBytes(bits)], children: [] };
    },
  };
}

/** Values that are 16 bytes in Arrow and written one by one. */
function createValueBuilder(field: Field, writer: ValueWriter): ColumnBuilder {
  const data = createGrowingBytes();
  const validity = createGrowingValidity();
  let bytes: Uint8Array;
  let nulls: Uint8Array | undefined;
  return {
    load(vector, size) {
      bytes = duckdb.vector_get_data(vector, size * writer.width);
      nulls = readValidity(vector, size);
    },
    append(start, count) {
      const at = grow(data, 16 * count);
      writer.write(bytes, start, count, nulls, int32View(data.bytes.subarray(at)));
      validity.append(nulls, start, count);
    },
    bytes: () => data.length,
    take: () => ({ field, ...validity.take(), buffers: [takeBytes(data)], children: [] }),
  };
}

/** A list's vector holds uint64 offset and uint64 length a row; entries need not follow one another in the child. */
function createListBuilder(field: Field, child: ColumnBuilder): ColumnBuilder {
  const offsets = createGrowingBytes();
  const validity = createGrowingValidity();
  let total = 0;
  let words: Int32Array;
  let nulls: Uint8Array | undefined;
  return {
    load(vector, size) {
      words = int32View(duckdb.vector_get_data(vector, size * 16));
      nulls = readValidity(vector, size);
      child.load(duckdb.list_vector_get_child(vector), duckdb.list_vector_get_size(vector));
    },
    append(start, count) {
      const at = grow(offsets, 4 * count);
      const ends = int32View(offsets.bytes.subarray(at));
      let from = 0;
      let to = 0;
      for (let i = 0; i < count; i++) {
        const row = start + i;
        if (nulls === undefined || getBit(nulls, row)) {
          const offset = words[4 * row] as number;
          const length = words[4 * row + 2] as number;
          if (offset !== to) {
            if (to > from) child.append(from, to - from);
            from = offset;
          }
          to = offset + length;
          total += length;
        }
        ends[i] = total;
      }
      if (to > from) child.append(from, to - from);
      checkTotal(field.name, total);
      validity.append(nulls, start, count);
    },
    bytes: () => offsets.length + child.bytes(),
    take() {
      total = 0;
      return { field, ...validity.take(), buffers: [withFirstOffset(takeBytes(offsets))], children: [child.take()] };
    },
  };
}

function createArrayBuilder(field: Field, size: number, child: ColumnBuilder): ColumnBuilder {
  const validity = createGrowingValidity();
  let nulls: Uint8Array | undefined;
  return {
    load(vector, rows) {
      nulls = readValidity(vector, rows);
      child.load(duckdb.array_vector_get_child(vector), rows * size);
    },
    append(start, count) {
      child.append(start * size, count * size);
      validity.append(nulls, start, count);
    },
    bytes: () => child.bytes(),
    take: () => ({ field, ...validity.take(), buffers: [], children: [child.take()] }),
  };
}

function createStructBuilder(field: Field, parts: readonly ColumnBuilder[]): ColumnBuilder {
  const validity = createGrowingValidity();
  let nulls: Uint8Array | undefined;
  return {
    load(vector, size) {
      nulls = readValidity(vector, size);
      for (const [index, part] of parts.entries()) part.load(duckdb.struct_vector_get_child(vector, index), size);
    },
    append(start, count) {
      for (const part of parts) part.append(start, count);
      validity.append(nulls, start, count);
    },
    bytes: () => parts.reduce((sum, part) => sum + part.bytes(), 0),
    take: () => ({ field, ...validity.take(), buffers: [], children: parts.map((part) => part.take()) }),
  };
}
