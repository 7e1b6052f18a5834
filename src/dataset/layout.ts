/** What a reader gets of each row: columns as they are, and columns laid side by side in matrices. */
import type { Column } from '../arrow/column.ts';
import { type ArrowType, type Field, field, type Schema } from '../arrow/schema.ts';
import { bytesOf } from '../arrow/typed-view.ts';
import { FeatureStoreError } from '../errors.ts';
import { type DensePlan, type DenseType, type Matrix, planDense, type Vocabulary } from './dense.ts';

export interface LayoutRequest {
  /** Columns as they are, by name. */
  readonly columns: readonly string[];
  readonly dense: readonly DenseRequest[];
}

export interface DenseRequest {
  /** The name of the column that holds the rows of the matrix. */
  readonly name: string;
  readonly columns: readonly string[];
  readonly type: DenseType;
  readonly fill: number | undefined;
  /** Besides, a column `NAME__mask` of 1 where there is a value and 0 where there is none. */
  readonly mask: boolean;
}

/** A block's rows, ready to be picked from. */
export interface LaidBlock {
  readonly rows: number;
  readonly columns: readonly Column[];
  /** By dense request. */
  readonly matrices: readonly Matrix[];
  readonly bytes: number;
}

export interface Layout {
  readonly schema: Schema;
  /** By dense request. */
  readonly dense: readonly { readonly width: number; readonly type: DenseType; readonly mask: boolean }[];
  /** Same text, same laid blocks. */
  readonly key: string;
  lay(columns: readonly Column[], rows: number): LaidBlock;
}

/** Plans what is asked of a schema; INVALID_ARGUMENT names the column that is not there, twice there, or no number. */
export function planLayout(schema: Schema, asked: LayoutRequest, vocabularies: ReadonlyMap<string, Vocabulary>): Layout {
  const place = (name: string) => {
    const index = schema.fields.findIndex((candidate) => candidate.name === name);
    if (index >= 0) return index;
    const names = schema.fields.map((candidate) => candidate.name).join(', ');
    throw new FeatureStoreError('INVALID_ARGUMENT', `the dataset has no column "${name}"; it has ${names}`, {
      details: { name },
    });
  };
  const plain = asked.columns.map(place);
  const plans = asked.dense.map(({ columns, type, fill }) =>
    planDense(schema.fields, columns.map(place), { type, fill }, vocabularies),
  );
  const fields = [
    ...plain.map((index) => schema.fields[index] as Field),
    ...asked.dense.flatMap(({ name, mask }, at) => {
      const { width, type } = plans[at] as DensePlan;
      if (width === 0) throw new FeatureStoreError('INVALID_ARGUMENT', `matrix "${name}" has no columns`);
      return [matrixField(name, type, width), ...(mask ? [matrixField(`${name}__mask`, 'uint8', width)] : [])];
    }),
  ];
  checkNames(fields);
  return {
    schema: { fields, metadata: new Map() },
    dense: asked.dense.map(({ type, mask }, at) => ({ type, mask, width: (plans[at] as DensePlan).width })),
    key: JSON.stringify([asked.columns, asked.dense]),
    lay(columns, rows) {
      const picked = plain.map((index) => columns[index] as Column);
      const matrices = plans.map((plan, at) => plan.build(columns, rows, (asked.dense[at] as DenseRequest).mask));
      // Columns are views of their block's bytes, all of which stay for one of them.
      const held = picked.length > 0 ? columns : [];
      const sizes = [...held.map(sizeOf), ...matrices.map(({ values, mask }) => values.byteLength + (mask?.byteLength ?? 0))];
      return { rows, columns: picked, matrices, bytes: sizes.reduce((sum, size) => sum + size, 0) };
    },
  };
}

function checkNames(fields: readonly Field[]): void {
  const names = new Set<string>();
  for (const { name } of fields) {
    if (names.has(name))
      throw new FeatureStoreError('INVALID_ARGUMENT', `two columns would be named "${name}"`, { details: { name } });
    names.add(name);
  }
}

const elements: Readonly<Record<DenseType | 'uint8', ArrowType>> = {
  float32: { id: 'float', bits: 32 },
  float64: { id: 'float', bits: 64 },
  int32: { id: 'int', bits: 32, signed: true },
  int64: { id: 'int', bits: 64, signed: true },
  uint8: { id: 'int', bits: 8, signed: false },
};

function matrixField(name: string, type: DenseType | 'uint8', width: number): Field {
  return { ...field(name, { id: 'fixedSizeList', size: width }, [elementField(type)]), nullable: false };
}

function elementField(type: DenseType | 'uint8'): Field {
  return { ...field('item', elements[type]), nullable: false };
}

/** The rows of a matrix as a column. */
export function matrixColumn(
  name: string,
  type: DenseType | 'uint8',
  width: number,
  values: ArrayBufferView,
  rows: number,
): Column {
  const child = { field: elementField(type), length: rows * width, nullCount: 0, buffers: [bytesOf(values)], children: [] };
  return { field: matrixField(name, type, width), length: rows, nullCount: 0, buffers: [], children: [child] };
}

function sizeOf({ validity, buffers, children }: Column): number {
  const own = [validity, ...buffers].reduce((sum, buffer) => sum + (buffer?.byteLength ?? 0), 0);
  return children.reduce((sum, child) => sum + sizeOf(child), own);
}
