/** Section 7: transforms run row by row, typed, pure, and named where they fail. */
import { describe, expect, it } from 'vitest';
import type { LiteralValue } from '../../src/definitions/literal.ts';
import { FeatureStoreError } from '../../src/errors.ts';
import { openTransform, openTransforms, type TransformRows } from '../../src/transform/open-transform.ts';
import { type TransformViewOptions, transformView } from '../support/transform-view.ts';

const noon = 1_773_144_000_000_000n;

function run(options: TransformViewOptions, rows: Partial<TransformRows> = {}, timeoutMs?: number): LiteralValue[][] {
  const given = { timesUs: [noon], inputs: [], request: [], ...rows };
  const columns = Object.keys(options.features).map(() => [] as LiteralValue[]);
  openTransform(transformView(options), timeoutMs).run(given, 0, given.timesUs.length, columns);
  return columns;
}

function refusal(options: TransformViewOptions, rows: Partial<TransformRows> = {}, timeoutMs?: number): FeatureStoreError {
  try {
    run(options, rows, timeoutMs);
  } catch (error) {
    if (error instanceof FeatureStoreError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}

const answering = (type: string, value: string) => ({ features: { f: type }, transform: `() => ({ f: ${value} })` });

describe('7.1: an output of its type comes out as its plain value', () => {
  it.each([
    ['bool', 'true', true],
    ['int32', '-2147483648', -2_147_483_648],
    ['int32', '7n', 7],
    ['int32', '-0', 0],
    ['int64', '9223372036854775807n', 9_223_372_036_854_775_807n],
    ['int64', '9007199254740991', 9_007_199_254_740_991n],
    ['float32', '0.1', Math.fround(0.1)],
    ['float32', '-Infinity', -Infinity],
    ['float64', '-0', -0],
    ['float64', '5e-324', 5e-324],
    ['string', '"日本\\u0000"', '日本\u0000'],
    ['bytes', 'new Uint8Array([0, 255])', new Uint8Array([0, 255])],
    ['timestamp', '-1n', -1n],
    ['date', '"2024-02-29"', '2024-02-29'],
    ['date', '"-000044-03-15"', '-000044-03-15'],
    ['decimal(5,2)', '"-12.3"', '-12.30'],
    ['decimal(5,2)', '12', '12.00'],
    ['decimal(38,0)', '99999999999999999999999999999999999999n', '99999999999999999999999999999999999999'],
    ['list(int64)', '[1, null, 2n]', [1n, null, 2n]],
    ['list(list(string))', '[["a"], null, []]', [['a'], null, []]],
    ['vector(float32,2)', '[0.1, 2]', [Math.fround(0.1), 2]],
    ['vector(float64,2)', 'new Float64Array([0.1, 2])', [0.1, 2]],
    ['string', 'null', null],
    ['list(int32)', 'null', null],
  ])('%s from %s', (type, value, expected) => {
    expect(run(answering(type, value))).toEqual([[expected]]);
  });
});

describe('7.1: what is not of its type is an error that names transform, row and value', () => {
  it.each([
    ['bool', '1', '1 is no bool: answer true or false'],
    ['int32', '2147483648', '2147483648 is no int32: it does not fit 32 bits'],
    ['int32', '1.5', '1.5 is no int32: answer a whole number'],
    ['int32', 'NaN', 'NaN is no int32: answer null where there is no value'],
    ['int64', '"7"', '"7" is no int64: answer a whole number'],
    ['int64', '2 ** 53', '9007199254740992 is no int64: a number above 2^53 is not exact: answer a bigint'],
    ['int64', '2n ** 63n', '9223372036854775808n is no int64: it does not fit 64 bits'],
    ['float32', '1e39', '1e+39 is no float32: it is larger than any float32'],
    ['float32', '0 / 0', 'NaN is no float32: answer null where there is no value'],
    ['float64', 'undefined + 1', 'NaN is no float64: answer null where there is no value'],
    ['float64', '1n', '1n is no float64: answer a number'],
    ['string', '12', '12 is no string: answer a string'],
    ['string', '"\\ud800"', '"\\ud800" is no string: it holds half a surrogate pair, which is no text'],
    ['bytes', '[1]', 'an array of 1 is no bytes: answer a Uint8Array'],
    ['timestamp', '1', '1 is no timestamp: answer microseconds as a bigint'],
    ['timestamp', 'new Date(0)', 'a Date is no timestamp: answer microseconds as a bigint'],
    ['date', '"2026-02-30"', '"2026-02-30" is no date: answer a date such as "2026-03-10"'],
    ['decimal(5,2)', '"1.234"', '"1.234" is no decimal(5,2): it has more than 2 digits after the point'],
    ['list(int32)', '[1, undefined]', 'undefined is no int32: answer a whole number'],
    ['list(float64)', '[NaN]', 'NaN is no float64: answer null where there is no value'],
    ['list(int32)', '7', '7 is no list(int32): answer an array'],
    ['vector(float32,2)', '[1]', 'an array of 1 is no vector(float32,2): answer an array of 2 numbers'],
    ['vector(float32,2)', '[1, null]', 'null is no float32: answer a number'],
    ['int32', '(() => 1)', 'a function is no int32: answer a whole number'],
  ])('%s from %s', (type, value, message) => {
    expect(refusal(answering(type, value), { timesUs: [null, noon], firstRow: 40 })).toMatchObject({
      code: 'FAILED_PRECONDITION',
      message: `transform "clock", row 41: feature "f": ${message}`,
      details: { transform: 'clock', row: 41, feature: 'f' },
    });
  });

  it.each([
    ['({})', 'it answered no "f"; answer null where there is no value'],
    ['({ f: 1, ff: 2 })', 'it answered "ff", which is no feature of it; did you mean "f"?'],
    ['7', 'it answered 7; answer an object with a value for each feature'],
    ['null', 'it answered null; answer an object with a value for each feature'],
    ['[1]', 'it answered an array of 1; answer an object with a value for each feature'],
    ['undefined', 'it answered undefined; answer an object with a value for each feature'],
    ['Promise.resolve({ f: 1 })', 'it answered a promise; a transform answers at once'],
  ])('an answer of %s', (value, message) => {
    const options = { features: { f: 'int32' }, transform: `() => (${value})` };
    expect(refusal(options).message).toBe(`transform "clock", row 0: ${message}`);
  });

  it('an exception tells what the row was given', () => {
    const options: TransformViewOptions = {
      features: { n: 'int32' },
      request: { zone: 'string', at: 'timestamp', raw: 'bytes' },
      inputs: [
        { view: 'profile', features: ['name', 'path'] },
        { view: 'profile', prefix: 'other', features: ['name'] },
      ],
      transform: '({ features }) => ({ n: features.other.name.length })',
    };
    const rows = {
      timesUs: [noon, noon + 1n],
      inputs: [
        ['a', 'b'],
        [[1n, null], null],
        ['c', null],
      ],
      request: [
        ['UTC', null],
        [1n, 2n],
        [new Uint8Array([1]), new Uint8Array([2])],
      ],
    };
    expect(refusal(options, rows)).toMatchObject({
      message:
        'transform "clock", row 1: TypeError: Cannot read properties of null (reading \'length\'); it was given ' +
        '{"features":{"profile":{"name":"b","path":null},"other":{"name":null}},"request":{"zone":null,"at":"2","raw":"Ag=="},"now":"2026-03-10T12:00:00.000001Z"}',
      details: { transform: 'clock', row: 1 },
    });
  });

  it.each([
    ['throw "why"', 'it threw "why"'],
    ['throw null', 'it threw null'],
    ['throw new RangeError("far")', 'RangeError: far'],
    ['for (;;);', 'it did not end within 2 s'],
    ['const f = () => f(); f()', 'RangeError: Maximum call stack size exceeded'],
    ['now.in("Mars/Olympus")', '"Mars/Olympus" is no IANA zone'],
    ['now.in(undefined)', 'now.in(…) takes the name of a zone, not undefined'],
  ])('"%s"', (body, message) => {
    const options = { features: { f: 'int32' }, transform: `({ now }) => { ${body}; return { f: 1 } }` };
    expect(refusal(options, {}, 2000).message).toContain(`transform "clock", row 0: ${message}`);
  });
});

describe("7.2: a transform knows no time but the row's", () => {
  it("now is the row's T, to the microsecond, in any zone", () => {
    const transform =
      '({ now, request }) => ({ us: now.epochMicros, hour: now.in(request.zone).hour, weekday: now.in(request.zone).weekday })';
    const rows = { timesUs: [noon + 1n, noon + 1n, 0n], request: [['Europe/Paris', null, 'America/New_York']] };
    expect(
      run({ features: { us: 'int64', hour: 'int32', weekday: 'int32' }, request: { zone: 'string' }, transform }, rows),
    ).toEqual([
      [noon + 1n, noon + 1n, 0n],
      [13, null, 19],
      [2, null, 3],
    ]);
  });

  it.each([
    ['Date.now()', /^the clock is not there for a transform, which is pure: use now/],
    ['new Date()', /^the clock/],
    ['Date()', /^the clock/],
    ['new (new Date(0).constructor)()', /^the clock/],
    ['Math.random()', /^Math\.random is not there/],
    ['new Date(2026, 1)', /^the zone of the machine/],
    ['new Date("2026-03-10T12:00")', /^the zone of the machine \(in "2026-03-10T12:00"\)/],
    ['Date.parse("10 March 2026")', /^the zone of the machine/],
    ['new Date(0).getHours()', /^Date\.getHours, which reads the zone of the machine,/],
    ['new Date(0).toLocaleString()', /^Date\.toLocaleString/],
    ['String(new Date(0))', /^Date\.toString/],
    ['new Intl.DateTimeFormat("en").format(0)', /^the locale and the zone of the machine/],
    ['process.env.HOME', /process is not defined/],
    ['require("fs")', /require is not defined/],
    ['setTimeout(() => {})', /setTimeout is not defined/],
    ['fetch("http://localhost")', /fetch is not defined/],
    ['performance.now()', /performance is not defined/],
  ])('%s throws', (expression, message) => {
    const error = refusal({ features: { f: 'int32' }, transform: `() => { ${expression}; return { f: 1 } }` });
    expect(error.message.replace(/^transform "clock", row 0: (Error|ReferenceError): /, '')).toMatch(message);
  });

  it.each([
    ['new Date("2026-03-10T12:00:00+01:00").toISOString()', '2026-03-10T11:00:00.000Z'],
    ['new Date(Date.UTC(2026, 2, 10)).toISOString()', '2026-03-10T00:00:00.000Z'],
    ['new Date("2026-03-10").getUTCDay() + ""', '2'],
    ['new Intl.DateTimeFormat("en", { timeZone: "Asia/Tokyo", hour: "numeric", hour12: false }).format(0)', '09'],
    ['new Date(0) instanceof Date ? "a Date" : ""', 'a Date'],
  ])('%s needs none', (expression, expected) => {
    expect(run({ features: { f: 'string' }, transform: `() => ({ f: ${expression} })` })).toEqual([[expected]]);
  });
});

describe('7.3: inputs', () => {
  it("are nested by view or prefix, lists as arrays of the transform's own, and null where there is none", () => {
    const options: TransformViewOptions = {
      features: { f: 'string' },
      inputs: [
        { view: 'profile', features: ['age', 'path', 'raw'] },
        { view: 'profile', prefix: 'other', features: ['age'] },
      ],
      transform: `({ features: { profile, other } }) => ({ f: [profile.age, other.age, profile.path instanceof Array,
        Object.isFrozen(profile.path), profile.path[0] instanceof Array, profile.path[0][0], profile.raw instanceof Uint8Array].join() })`,
    };
    expect(run(options, { inputs: [[1], [[[5n]]], [new Uint8Array(1)], [null]] })).toEqual([['1,,true,true,true,5,true']]);
  });

  it('of one row cannot be changed for another', () => {
    const shared = new Uint8Array([1]);
    const options: TransformViewOptions = {
      features: { f: 'int32' },
      inputs: [{ view: 'p', features: ['raw'] }],
      transform: '({ features }) => ({ f: features.p.raw[0]++ })',
    };
    expect(run(options, { timesUs: [noon, noon], inputs: [[shared, shared]] })).toEqual([[1, 1]]);
    expect(shared).toEqual(new Uint8Array([1]));
  });

  it('with a null T the transform is not run', () => {
    const options = { features: { f: 'int64' }, transform: '({ now }) => ({ f: now.epochMicros })' };
    expect(run(options, { timesUs: [null, 5n, null] })).toEqual([[null, 5n, null]]);
  });

  it('some rows of many are run', () => {
    const columns: LiteralValue[][] = [[]];
    const transform = openTransform(
      transformView({ features: { f: 'int64' }, transform: '({ now }) => ({ f: now.epochMicros })' }),
    );
    const rows = { timesUs: [1n, 2n, 3n, 4n], inputs: [], request: [] };
    transform.run(rows, 2, 4, columns);
    transform.run(rows, 0, 2, columns);
    expect(columns).toEqual([[1n, 2n, 3n, 4n]]);
  });
});

describe('7.4: a bundle', () => {
  it.each([
    ['process.exit(1)', /^transform "clock" cannot be loaded: ReferenceError: process is not defined; .*a file of its own$/],
    ['for (;;);', /^transform "clock" cannot be loaded: it did not end within 0.1 s/],
  ])('that does "%s" as it loads is refused', (before, message) => {
    expect(refusal({ ...answering('int32', '1'), before }, {}, 100).message).toMatch(message);
  });

  it('has state of its own, as each of several transforms has', () => {
    const counting = { features: { f: 'int32' }, before: 'let count = 0', transform: '() => ({ f: ++count })' };
    const views = [transformView({ name: 'a', ...counting }), transformView({ name: 'b', ...counting })];
    const transforms = openTransforms(views);
    for (const name of ['a', 'b']) {
      const columns: LiteralValue[][] = [[]];
      transforms.of(name).run({ timesUs: [1n, 2n], inputs: [], request: [] }, 0, 2, columns);
      expect(columns).toEqual([[1, 2]]);
    }
    expect(transforms.of('a')).toBe(transforms.of('a'));
  });
});
