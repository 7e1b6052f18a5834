/** Avro schemas, parsed and checked by avsc, with the logical types that events are read by. */
import avsc, { type Schema, type Type } from 'avsc';
import { FeatureStoreError } from '../../errors.ts';

interface Field {
  readonly name: string;
  readonly type: AvroType;
}

/** What of a type of avsc its values are read by. */
export type AvroType = Type & AvroShape;

type AvroShape =
  | { readonly typeName: 'null' | 'boolean' | 'int' | 'long' | 'float' | 'double' | 'string' | 'bytes' }
  | { readonly typeName: 'fixed'; readonly size: number }
  | { readonly typeName: 'enum'; readonly symbols: readonly string[] }
  | { readonly typeName: 'array'; readonly itemsType: AvroType }
  | { readonly typeName: 'map'; readonly valuesType: AvroType }
  | { readonly typeName: 'union:wrapped' | 'union:unwrapped'; readonly types: readonly AvroType[] }
  | { readonly typeName: 'record' | 'error'; readonly fields: readonly Field[] }
  | {
      readonly typeName: `logical:${string}`;
      readonly underlyingType: AvroType;
      readonly attributes: { readonly scale?: number };
    };

export type AvroRecordType = Extract<AvroType, { typeName: 'record' | 'error' }>;

/** INVALID_ARGUMENT, naming the file, for what is no schema of a record. */
export function parseAvroSchema(path: string, text: string): AvroRecordType {
  const type = parse(path, text);
  if (type.typeName === 'record') return type as AvroRecordType;
  throw refuse(path, `is one of ${type.typeName}, and an event is a record`);
}

function parse(path: string, text: string): Type {
  try {
    return avsc.Type.forSchema(JSON.parse(text), { logicalTypes });
  } catch (cause) {
    throw refuse(path, `cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`, cause);
  }
}

/** Keeps what the schema says beside the type that it is written as; all others are read as what they are written as. */
class NamedType extends avsc.types.LogicalType {
  readonly attributes: { readonly scale?: number };

  constructor(schema: Schema, options?: object) {
    super(schema, options);
    this.attributes = schema as { scale?: number };
  }

  protected override _fromValue(value: unknown): unknown {
    return value;
  }

  protected override _toValue(value: unknown): unknown {
    return value;
  }

  protected override _resolve(): undefined {}
}

/** Over a type that the specification does not name for it, a logical type is to be ignored. */
function over(
  ...names: readonly string[]
): new (
  schema: Schema,
  options?: object,
) => InstanceType<typeof avsc.types.LogicalType> {
  return class extends NamedType {
    constructor(schema: Schema, options?: object) {
      super(schema, options);
      if (!names.includes(this.underlyingType.typeName)) throw new Error(`is not for ${this.underlyingType.typeName}`);
    }
  };
}

const units = ['millis', 'micros', 'nanos'];
const logicalTypes = {
  ...Object.fromEntries(
    units.flatMap((unit) => [`timestamp-${unit}`, `local-timestamp-${unit}`].map((name) => [name, over('long')])),
  ),
  date: over('int'),
  decimal: over('bytes', 'fixed'),
};

function refuse(path: string, why: string, cause?: unknown): FeatureStoreError {
  return new FeatureStoreError('INVALID_ARGUMENT', `the Avro schema "${path}" ${why}`, { details: { schema: path }, cause });
}
