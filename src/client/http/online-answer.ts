/** An online answer as the caller reads it: columns of exact values, and rows made of them when they are asked for. */
import { decodeLiteral, type LiteralValue, parseInstantUs } from '../../definitions/literal.ts';
import { parseValueType, type ValueType } from '../../definitions/value-type.ts';
import { FeatureStoreError } from '../../errors.ts';
import { type ReaderWarning, tellWarnings } from '../warnings.ts';

/** Whether int64 values are bigint, or numbers that are refused above 2^53. */
export type Int64Mode = 'bigint' | 'number';

export type Status = 'PRESENT' | 'NULL_VALUE' | 'NOT_FOUND' | 'OUTSIDE_MAX_AGE';

export interface OnlineColumn<T = LiteralValue> {
  /** int64 and timestamps (microseconds since the epoch) bigint, decimals and dates text, bytes Uint8Array, lists arrays. */
  readonly values: readonly (T | null)[];
  readonly statuses: readonly Status[];
  readonly isDefault: readonly boolean[];
  /** Microseconds since the epoch; null where no row was found. */
  readonly eventTimestamps: readonly (bigint | null)[];
}

export interface OnlineAnswer<C extends object = Record<string, LiteralValue>> {
  /** The T of the answer, in microseconds since the epoch. */
  readonly evaluatedAt: bigint;
  readonly columns: { readonly [name in keyof C]: OnlineColumn<C[name]> };
  /** What of it is deprecated, as over HTTP; a process is told of each once, as a DeprecationWarning. */
  readonly warnings: readonly ReaderWarning[];
  /** One object a row: the join keys, then the features. */
  rows(): (Readonly<Record<string, LiteralValue>> & { readonly [name in keyof C]: C[name] | null })[];
}

interface WrittenColumn {
  readonly type: string;
  readonly values: readonly unknown[];
}
interface WrittenAnswer {
  readonly evaluated_at: string;
  readonly rows: number;
  readonly warnings?: readonly ReaderWarning[];
  readonly entities: Readonly<Record<string, WrittenColumn>>;
  readonly columns: Readonly<
    Record<
      string,
      WrittenColumn & {
        readonly statuses: readonly Status[];
        readonly event_timestamps: readonly (string | null)[];
        readonly is_default: readonly boolean[];
      }
    >
  >;
}

/** DATA_LOSS where it is of another form; OUT_OF_RANGE where `number` cannot hold an int64. */
export function readOnlineAnswer<C extends object>(json: unknown, int64: Int64Mode): OnlineAnswer<C> {
  try {
    const written = json as WrittenAnswer;
    const entities = Object.entries(written.entities).map(([name, column]) => [name, readValues(name, column, int64)] as const);
    const instants = new Map<string, bigint>();
    const columns = Object.entries(written.columns).map(([name, column]) => {
      const eventTimestamps = column.event_timestamps.map((text) => (text === null ? null : readInstant(instants, text)));
      const values = readValues(name, column, int64);
      return [name, { values, statuses: column.statuses, isDefault: column.is_default, eventTimestamps }] as const;
    });
    const all = [...entities, ...columns.map(([name, column]) => [name, column.values] as const)];
    return {
      evaluatedAt: parseInstantUs(written.evaluated_at),
      columns: Object.fromEntries(columns) as unknown as OnlineAnswer<C>['columns'],
      warnings: tellWarnings(written.warnings ?? []),
      rows: () =>
        Array.from(
          { length: written.rows },
          (_, row) =>
            Object.fromEntries(all.map(([name, values]) => [name, values[row] as LiteralValue])) as ReturnType<
              OnlineAnswer<C>['rows']
            >[number],
        ),
    };
  } catch (cause) {
    if (cause instanceof FeatureStoreError && cause.code === 'OUT_OF_RANGE') throw cause;
    throw new FeatureStoreError(
      'DATA_LOSS',
      `the online answer cannot be read: ${cause}; are server and client of the same version?`,
      {
        cause,
      },
    );
  }
}

/** The features of a view mostly share their instants: each text is read once an answer. */
function readInstant(known: Map<string, bigint>, text: string): bigint {
  let us = known.get(text);
  if (us === undefined) {
    us = parseInstantUs(text);
    known.set(text, us);
  }
  return us;
}

function readValues(name: string, { type: text, values }: WrittenColumn, int64: Int64Mode): LiteralValue[] {
  const type = parseValueType(text);
  const decoded = values.map((value) => decodeLiteral(type, value));
  if (int64 === 'bigint' || !holdsInt64(type)) return decoded;
  return decoded.map((value) => toNumbers(name, value));
}

function holdsInt64(type: ValueType): boolean {
  return type.kind === 'int64' || (type.kind === 'list' && holdsInt64(type.element));
}

function toNumbers(name: string, value: LiteralValue): LiteralValue {
  if (Array.isArray(value)) return value.map((item) => toNumbers(name, item as LiteralValue));
  if (typeof value !== 'bigint') return value;
  const number = Number(value);
  if (Number.isSafeInteger(number)) return number;
  throw new FeatureStoreError(
    'OUT_OF_RANGE',
    `"${name}" holds ${value}, which no number holds exactly: make the client without int64: 'number'`,
    { details: { column: name, value: String(value) } },
  );
}
