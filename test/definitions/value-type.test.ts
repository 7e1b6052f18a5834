import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatValueType, isKeyType, keyTypeNames, parseValueType, type ValueType } from '../../src/definitions/value-type.ts';

const valueTypes = fc.letrec<{ type: ValueType }>((tie) => ({
  type: fc.oneof(
    { maxDepth: 3 },
    fc
      .constantFrom('bool', 'int32', 'int64', 'float32', 'float64', 'string', 'bytes', 'timestamp', 'date')
      .map((kind) => ({ kind }) as ValueType),
    fc
      .integer({ min: 1, max: 38 })
      .chain((precision) =>
        fc.integer({ min: 0, max: precision }).map((scale) => ({ kind: 'decimal', precision, scale }) as const),
      ),
    fc.record({
      kind: fc.constant('vector' as const),
      element: fc.constantFrom('float32' as const, 'float64' as const),
      length: fc.integer({ min: 1, max: 1_000_000 }),
    }),
    fc.record({ kind: fc.constant('list' as const), element: tie('type') }),
  ),
})).type;

describe('parseValueType', () => {
  it('is the inverse of formatValueType, blanks or not', () => {
    fc.assert(
      fc.property(valueTypes, fc.constantFrom('', ' '), (type, blank) => {
        const text = formatValueType(type).replaceAll(/[(),]/g, (mark) => `${blank}${mark}${blank}`);
        expect(parseValueType(text)).toEqual(type);
      }),
    );
  });

  it.each([
    ['int65', 'did you mean "int64"?'],
    ['double', 'did you mean "float64"?'],
    ['boolean', 'did you mean "bool"?'],
    ['vektor(float32,3)', 'did you mean "vector"?'],
    ['', '"" is not a type'],
    ['decimal', 'decimal(precision,scale)'],
    ['decimal(39,2)', 'precision is 1 to 38'],
    ['decimal(4,5)', 'scale is at most its precision'],
    ['list(int64', '")" is missing'],
    ['list', '"(" is missing'],
    ['list(intt64)', 'did you mean "int64"?'],
    ['int64 null', '"null" after the type'],
    ['vector(int32,3)', 'vector(float32,n)'],
    ['vector(float32,0)', '1 to 1000000'],
  ])('refuses %s and says %s', (text, message) => {
    expect(() => parseValueType(text)).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT', message: expect.stringContaining(message) }),
    );
  });

  it('refuses what is no text at all', () => {
    expect(() => parseValueType(undefined as unknown as string)).toThrow('a type is a string');
  });
});

describe('isKeyType', () => {
  it('holds for the key types of rule 2.1 alone', () => {
    expect(keyTypeNames).toEqual(['int32', 'int64', 'string', 'bool', 'bytes']);
    expect(keyTypeNames.every(isKeyType)).toBe(true);
    expect(['float64', 'date', undefined, 3].some(isKeyType)).toBe(false);
  });
});
