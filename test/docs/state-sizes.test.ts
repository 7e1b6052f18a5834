/** What streams.md says of the bytes that a key's state takes, measured. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { compileAggregate } from '../../src/aggregate/compile-aggregate.ts';
import { aggregateFunctions } from '../../src/aggregate/functions.ts';
import type { LiteralValue } from '../../src/definitions/literal.ts';
import { parseValueType } from '../../src/definitions/value-type.ts';
import { createRandom } from '../../src/demo/random.ts';
import { categories } from '../../src/demo/simulate-streamrec.ts';
import { addEvent, createState, settle } from '../../src/online/windows/state.ts';
import { compileStateCodec } from '../../src/online/windows/state-codec.ts';
import type { WindowFeature, WindowView } from '../../src/online/windows/window-view.ts';

type WindowEvent = Parameters<typeof addEvent>[2];

const minuteUs = 60_000_000n;
const hourUs = 60n * minuteUs;
const dayUs = 24n * hourUs;
const nowUs = 1_773_144_000_000_000n;
const perDay = [10, 100];

/** Values of an event: item, category, seconds watched, whether it is a click. */
const [item, category, seconds, click] = [0, 1, 2, 3];

/** Rows of the page's table -> function, type of its value, size, which value, window and hop. */
const rows: Readonly<
  Record<string, readonly [keyof typeof aggregateFunctions, string, number, number, bigint | undefined, bigint | undefined]>
> = {
  '`count`, 7d': ['count', 'bool', 1, click, 7n * dayUs, hourUs],
  '`count`, 30d': ['count', 'bool', 1, click, 30n * dayUs, dayUs],
  '`count`, lifetime': ['count', 'bool', 1, click, undefined, undefined],
  '`rate`, 7d': ['rate', 'bool', 1, click, 7n * dayUs, hourUs],
  '`sum` of a float, 1d': ['sum', 'float64', 1, seconds, dayUs, hourUs],
  '`sum` of a float, lifetime': ['sum', 'float64', 1, seconds, undefined, undefined],
  '`mean` of a float, 7d': ['mean', 'float64', 1, seconds, 7n * dayUs, hourUs],
  '`stddev` of a float, 7d': ['stddev', 'float64', 1, seconds, 7n * dayUs, hourUs],
  '`min` of a float, 7d': ['min', 'float64', 1, seconds, 7n * dayUs, hourUs],
  '`last` of a category, 7d': ['last', 'string', 1, category, 7n * dayUs, hourUs],
  '`lastN` of 20 items, 7d': ['last_n', 'int64', 20, item, 7n * dayUs, hourUs],
  '`countDistinct` of items, 30d': ['count_distinct', 'int64', 1, item, 30n * dayUs, dayUs],
  '`countDistinct` of items, lifetime': ['count_distinct', 'int64', 1, item, undefined, undefined],
  '`topK` or `entropy` of categories, 30d': ['top_k', 'string', 3, category, 30n * dayUs, dayUs],
};

it('says how many bytes the state of a feature takes, within a tenth', () => {
  const page = readFileSync(fileURLToPath(new URL('../../docs/concepts/streams.md', import.meta.url)), 'utf8');
  const said = new Map(
    [...page.matchAll(/^\| (`.*?) \| [\dhd]* ?\| ([\d,]+) \| ([\d,]+) \|$/gm)].map(([, name = '', ...bytes]) => [
      name,
      bytes.map((text) => Number(text.replace(',', ''))),
    ]),
  );
  expect([...said.keys()]).toEqual(Object.keys(rows));
  const measured = new Map(Object.keys(rows).map((name) => [name, perDay.map((count) => measure(name, eventsOf(count)))]));
  const wrong = [...measured].filter(([name, sizes]) =>
    sizes.some((bytes, at) => Math.abs(bytes - (said.get(name)?.[at] as number)) > bytes / 10),
  );
  expect(Object.fromEntries(wrong), 'measured sizes that streams.md has otherwise').toEqual({});
});

/** Bytes that the feature adds to a state without any. */
function measure(name: string, events: readonly WindowEvent[]): number {
  return sizeOf([featureOf(name)], events) - sizeOf([], events);
}

function sizeOf(features: readonly WindowFeature[], events: readonly WindowEvent[]): number {
  const view: WindowView = {
    ...{ name: 'v', source: 's', joinKeys: [], entities: [], delayUs: 2_000_000n },
    ...{ gapUs: undefined, features, maxStateBytes: Number.POSITIVE_INFINITY },
  };
  const state = createState(view);
  for (const event of events) addEvent(view, state, event, nowUs);
  settle(view, state, nowUs, undefined, true);
  const aggregates = features.map(({ aggregate }) => aggregate);
  return compileStateCodec(1, aggregates, false).encode(state).length;
}

function featureOf(row: string): WindowFeature {
  const [name, type, size, place, windowUs, hopUs] = rows[row] as (typeof rows)[string];
  const aggregate = compileAggregate(name, parseValueType(type), size);
  const { takes } = aggregateFunctions[name];
  return {
    ...{ name: row, hash: row, aggregate, windowUs, hopUs, passes: () => true },
    add(state, timeUs, values) {
      if (takes === 'conditions') aggregate.update(state, timeUs, values[place] === true, true);
      else aggregate.update(state, timeUs, takes === 'nothing' ? true : (values[place] as LiteralValue));
    },
  };
}

/** Thirty days of a user whose events are all from five to eleven in the evening. */
function eventsOf(count: number): readonly WindowEvent[] {
  const random = createRandom(7);
  const events = Array.from({ length: 30 * count }, (): WindowEvent => {
    const minute = 17 * 60 + random.below(360);
    const values = [
      BigInt(1 + random.below(800)),
      categories[random.below(categories.length)] as string,
      random.below(600_000) / 1000,
      random.chance(0.3),
    ];
    const dayStartUs = nowUs - BigInt(1 + random.below(30)) * dayUs;
    return { timeUs: dayStartUs + BigInt(minute) * minuteUs + BigInt(random.below(60_000_000)), values };
  });
  return events.filter(({ timeUs }) => timeUs < nowUs - hourUs).sort((a, b) => (a.timeUs < b.timeUs ? -1 : 1));
}
