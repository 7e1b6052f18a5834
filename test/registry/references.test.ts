/** References as they are written, and what a selection of them names. */
import { describe, expect, test } from 'vitest';
import { FeatureStoreError } from '../../src/errors.ts';
import { parseFeatureReference } from '../../src/registry/references.ts';

describe('a reference', () => {
  test.each([
    ['user_profile:age', { view: 'user_profile', feature: 'age' }],
    ['airports@origin:name', { view: 'airports', prefix: 'origin', feature: 'name' }],
  ])('"%s" is taken apart', (text, parts) => {
    expect(parseFeatureReference(text)).toEqual(parts);
  });

  test.each(['airports', ':lat', 'airports:', 'a:b:c', 'a@:b', 'a@b@c:d', ''])('"%s" is none', (text) => {
    expect(() => parseFeatureReference(text)).toThrow(FeatureStoreError);
  });

  test('has a prefix that could be a name', () => {
    expect(() => parseFeatureReference('airports@Origin:name')).toThrow(/"Origin" in "airports@Origin:name" cannot be a prefix/);
  });
});
