/** The aggregate of a function over values of a type, which takes any value that an event may have: nulls, signs of zero, numbers. */
import type { LiteralValue } from '../definitions/literal.ts';
import { formatValueType, type ValueType } from '../definitions/value-type.ts';
import { FeatureStoreError } from '../errors.ts';
import type { Aggregate, AggregateFunction, Value } from './aggregate.ts';
import { type AggregateName, aggregateFunctions } from './functions.ts';

export interface CompiledAggregate extends Omit<Aggregate<object>, 'update' | 'downdate'> {
  /** As Aggregate's, where a value that is null leaves the event out (rule 6.10). */
  update(state: object, timeUs: bigint, value: LiteralValue, over?: boolean): void;
  downdate?(state: object, timeUs: bigint, value: LiteralValue): void;
}

/** `type` is that of the first argument, `size` the n or k; INVALID_ARGUMENT where the function is not made for the type. */
export function compileAggregate(name: AggregateName, type: ValueType, size = 1): CompiledAggregate {
  const { takes, compile }: AggregateFunction = aggregateFunctions[name];
  const aggregate = compile(type, size);
  if (aggregate === undefined) {
    throw new FeatureStoreError('INVALID_ARGUMENT', `${name} takes numbers, and not ${formatValueType(type)}`, {
      details: { function: name, type: formatValueType(type) },
    });
  }
  if (takes !== 'value') return aggregate as CompiledAggregate;
  const normalize = compileNormalize(type);
  const { downdate } = aggregate;
  return {
    ...aggregate,
    ...(downdate && {
      downdate: (state: object, timeUs: bigint, value: LiteralValue) => {
        if (value !== null) downdate(state, timeUs, normalize(value));
      },
    }),
    update: (state, timeUs, value) => {
      if (value !== null) aggregate.update(state, timeUs, normalize(value));
    },
  };
}

/** Equal values become one: -0 is 0, and 64-bit integers are bigints. */
export function compileNormalize(type: ValueType): (value: Value) => Value {
  switch (type.kind) {
    case 'float32':
    case 'float64':
      return (value) => (value as number) + 0;
    case 'int64':
    case 'timestamp':
      return (value) => BigInt(value as bigint | number);
    case 'list':
    case 'vector': {
      const element = compileNormalize(type.kind === 'list' ? type.element : { kind: type.element });
      return (value) => (value as readonly LiteralValue[]).map((item) => (item === null ? null : element(item)));
    }
    default:
      return (value) => value;
  }
}
