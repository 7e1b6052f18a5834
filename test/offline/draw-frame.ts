/** Random columns of an entity frame: keys and times in every Arrow type that they may come in, and columns that only pass through. */
import { type ArrowType, type Field, field } from '../../src/arrow/schema.ts';
import type { KeyType } from '../../src/definitions/value-type.ts';
import type { FrameColumn } from '../support/scenario.ts';
import { countOf, type Draw } from './draw-values.ts';

const keyArrowTypes: Record<KeyType, readonly ArrowType[]> = {
  int32: integerTypes(),
  int64: integerTypes(),
  string: [{ id: 'utf8' }, { id: 'largeUtf8' }, { id: 'utf8View' }],
  bool: [{ id: 'bool' }],
  bytes: [{ id: 'binary' }, { id: 'largeBinary' }, { id: 'binaryView' }],
};

function integerTypes(): ArrowType[] {
  const bits = [64, 32, 16, 8] as const;
  return [
    ...bits.map((width) => ({ id: 'int', bits: width, signed: true }) as const),
    ...bits.map((width) => ({ id: 'int', bits: width, signed: false }) as const),
    { id: 'float', bits: 64 },
    { id: 'float', bits: 32 },
    { id: 'float', bits: 16 },
  ];
}

/** A column of keys: values that the source holds and others, nulls, dictionaries; now and then one that does not convert. */
export function drawKeyColumn(draw: Draw, name: string, key: KeyType, pool: readonly unknown[], rows: number): FrameColumn {
  if (draw.chance(3)) return { field: field(name, { id: 'null' }), values: new Array(rows).fill(null) };
  const wrong = draw.chance(2);
  const type = draw.pick(wrong ? keyArrowTypes[draw.pick(['string', 'int64', 'bool', 'bytes'] as const)] : keyArrowTypes[key]);
  const fitting = (wrong ? [0n, 'a', true, new Uint8Array([1])] : pool).flatMap((value) => converted(value, type));
  if (type.id === 'float') fitting.push(Number.NaN);
  if (draw.chance(2))
    fitting.push(
      ...(type.id === 'float' ? [1.5, 2 ** 53, Number.POSITIVE_INFINITY] : type.id === 'int' ? converted(2n ** 63n, type) : []),
    );
  const nulls = draw.pick([0, 10, 40]);
  const values = Array.from({ length: rows }, () => (fitting.length === 0 || draw.chance(nulls) ? null : draw.pick(fitting)));
  const dictionary = type.id !== 'bool' && draw.chance(25) ? drawDictionary(draw, values) : undefined;
  return { field: dictionary === undefined ? field(name, type) : dictionaryField(draw, name, type), values, dictionary };
}

/** The distinct values in any order, and null where nulls are to stand in the dictionary rather than among the indices. */
function drawDictionary(draw: Draw, values: readonly unknown[]): unknown[] {
  const distinct = new Map(values.map((value) => [value instanceof Uint8Array ? `b${value}` : value, value]));
  if (draw.chance(50)) distinct.delete(null);
  const entries = [...distinct.values()];
  return draw.chance(50) ? entries.reverse() : entries;
}

function dictionaryField(draw: Draw, name: string, type: ArrowType): Field {
  const indexBits = draw.pick([32, 8, 16, 64] as const);
  return {
    ...field(name, type),
    dictionary: { id: BigInt(draw.int(0, 1000)), indexBits, indexSigned: draw.chance(70), ordered: false },
  };
}

/** The key as a value of the column's type, or nothing where it has no such value. */
function converted(value: unknown, type: ArrowType): unknown[] {
  const integer = typeof value === 'bigint' || typeof value === 'number';
  switch (type.id) {
    case 'int': {
      if (!integer) return [];
      const whole = BigInt(value);
      const fits = type.signed ? BigInt.asIntN(type.bits, whole) === whole : BigInt.asUintN(type.bits, whole) === whole;
      return fits ? [type.bits === 64 ? whole : Number(whole)] : [];
    }
    case 'float': {
      if (!integer) return [];
      const number = Number(value);
      const exact = { 16: 2 ** 11, 32: 2 ** 24, 64: 2 ** 53 }[type.bits];
      return Math.abs(number) < exact ? [number] : [];
    }
    case 'bool':
      return typeof value === 'boolean' ? [value] : [];
    default:
      return value instanceof Uint8Array === type.id.toLowerCase().includes('binary') && typeof value !== 'boolean' && !integer
        ? [value]
        : [];
  }
}

/** A column of T in any unit, with a zone or with one that the request names. */
export function drawTimeColumn(draw: Draw, rows: number): { column: FrameColumn; timezone: string | undefined } {
  const name = draw.pick(['event_timestamp', 'when']);
  const nulls = draw.pick([0, 10, 95]);
  const timezone = draw.pick([undefined, undefined, 'UTC', 'America/New_York', 'Asia/Kolkata', 'Europe/London']);
  const time = () => (draw.chance(nulls) ? null : draw.time());
  if (timezone !== undefined && draw.chance(15)) {
    const day = (us: bigint) => Number((us - (((us % 86_400_000_000n) + 86_400_000_000n) % 86_400_000_000n)) / 86_400_000_000n);
    const dates = Array.from({ length: rows }, time).map((us) => (us === null ? null : day(us)));
    return { column: { field: field(name, { id: 'date', unit: 'day' }), values: dates }, timezone };
  }
  const unit = draw.pick(['us', 'ns', 'ms', 's'] as const);
  const zone = timezone === undefined ? draw.pick(['UTC', 'America/New_York', '+02:00']) : undefined;
  const type: ArrowType = zone === undefined ? { id: 'timestamp', unit } : { id: 'timestamp', unit, timezone: zone };
  const values = Array.from({ length: rows }, () => {
    const us = time();
    return us === null ? null : countOf(us, unit) + (unit === 'ns' ? BigInt(draw.pick([0, 1, 999])) : 0n);
  });
  return { column: { field: field(name, type), values }, timezone };
}

/** A column that no view reads: it must come back as it was. */
export function drawOtherColumn(draw: Draw, name: string, rows: number): FrameColumn {
  const [type, pool, children] = draw.pick([
    [{ id: 'float', bits: 64 }, [1.5, Number.NaN, -0], []],
    [{ id: 'utf8' }, ['', 'a', 'x'.repeat(30)], []],
    [{ id: 'utf8View' }, ['', 'short', 'x'.repeat(30)], []],
    [{ id: 'bool' }, [true, false], []],
    [{ id: 'timestamp', unit: 'ns' }, [0n, -1n, 2n ** 62n], []],
    [{ id: 'list' }, [[], [1], [null, 2]], [field('item', { id: 'int', bits: 32, signed: true })]],
    [{ id: 'decimal', bits: 128, precision: 10, scale: 2 }, ['1.50', '-0.01'], []],
  ] as const satisfies readonly (readonly [ArrowType, readonly unknown[], readonly Field[]])[]);
  return {
    field: field(name, type, children),
    values: Array.from({ length: rows }, () => (draw.chance(20) ? null : draw.pick(pool as readonly unknown[]))),
  };
}
