/**
 * Shapes of windows, function by function, over the same events and rows: what src/offline/windows does, block prefix and suffix without
 * subtraction by the algebra of the function, and range frames over events and frame rows in one relation (DuckDB); by hand, max by a queue
 * and sums by blocks in plain doubles, which are not exact. `BENCH_EVENTS` and `BENCH_ROWS` change the sizes.
 */
import { columnFromValues } from '../../dist/arrow/build.js';
import { field } from '../../dist/arrow/schema.js';
import { evaluateAggregate } from '../../dist/offline/windows/evaluate.js';
import { numbersFrom } from './support/prepare.mjs';
import { mergeBlocks, mergeSums, queueGreatest, timeRangeFrames } from './windows/shapes.mjs';

const [eventCount] = numbersFrom('BENCH_EVENTS', [1_000_000]);
const [rowCount] = numbersFrom('BENCH_ROWS', [100_000]);
const [rounds] = numbersFrom('BENCH_ROUNDS', [5]);
const perKey = 100;
const hourUs = 3_600_000_000;
const spanUs = 28 * 24 * hourUs;
const windowUs = 7 * 24 * hourUs;

const random = seeded(7);
const { events, starts } = makeEvents();
const frame = makeFrame();
const bounds = {
  from: frame.from,
  to: frame.to,
  order: Int32Array.from(frame.to.keys()),
  among: () => ({ from: frame.from, to: frame.to }),
};
const source = openEvents();

const double = { kind: 'float64' };
const functions = {
  count: ['count', undefined, 'count(number) over w'],
  sum: ['sum', double, 'coalesce(sum(number) over w, 0)'],
  mean: ['mean', double, 'avg(number) over w'],
  stddev: ['stddev', double, 'stddev_samp(number) over w'],
  max: ['max', double, 'max(number) over w'],
  last: ['last', double, 'last_value(number ignore nulls) over w'],
  last_n: ['last_n', { kind: 'int64' }, 'list(item) filter (item is not null) over w'],
  count_distinct: ['count_distinct', { kind: 'int64' }, 'count(distinct item) over w'],
  top_k: ['top_k', { kind: 'int64' }, undefined],
  entropy: ['entropy', { kind: 'int64' }, 'entropy(item) over w'],
};
console.log(
  `${eventCount.toLocaleString('en')} events, ${perKey} a key over four weeks, ${rowCount.toLocaleString('en')} rows, a window of 7d; milliseconds, median of ${rounds}`,
);
const expressions = Object.fromEntries(
  Object.entries(functions).flatMap(([name, [, , sql]]) => (sql === undefined ? [] : [[name, sql]])),
);
const frames = await timeRangeFrames(events, frame, expressions);
console.log(`${'function'.padEnd(16)}${['ours', 'blocks', 'by hand', 'range frames'].map((text) => text.padStart(16)).join('')}`);
for (const [name, [of, type]] of Object.entries(functions)) {
  const isItem = type?.kind === 'int64';
  const read = isItem ? (at) => BigInt(events.item[at]) : (at) => events.number[at];
  const size = 3;
  const run = {
    ours: () => evaluateAggregate({ function: of, size }, type === undefined ? {} : { value: isItem ? 1 : 0 }, source(), bounds),
    blocks: () => mergeBlocks(of, type ?? double, size, read, frame),
    ...(name === 'max' ? { byHand: () => queueGreatest(Float64Array.from(events.number), frame) } : {}),
    ...(name === 'sum' ? { byHand: () => mergeSums(events.number, frame) } : {}),
  };
  const times = { ours: [], blocks: [], byHand: [] };
  for (let round = 0; round < rounds; round++) {
    for (const [shape, work] of Object.entries(run)) {
      const started = performance.now();
      work();
      times[shape].push(performance.now() - started);
    }
  }
  const cells = [median(times.ours), median(times.blocks), median(times.byHand), frames[name]];
  console.log(`${name.padEnd(16)}${cells.map((ms) => (ms === undefined ? '' : ms.toFixed(0)).padStart(16)).join('')}`);
}

function makeEvents() {
  const user = new Int32Array(eventCount);
  const time = new Float64Array(eventCount);
  const firsts = [];
  for (let at = 0; at < eventCount; at += perKey) {
    const end = Math.min(eventCount, at + perKey);
    firsts.push(at);
    user.fill(at / perKey, at, end);
    time.set(Float64Array.from({ length: end - at }, () => Math.floor(random() * spanUs)).sort(), at);
  }
  firsts.push(eventCount);
  const number = Float64Array.from({ length: eventCount }, () => Math.round(Math.exp(3 + 2 * random()) * 100) / 100);
  const item = Int32Array.from({ length: eventCount }, () => Math.floor(20_000 * random() ** 4));
  return { events: { user, time, number, item }, starts: Int32Array.from(firsts) };
}

/** Rows at events, in the order of key and time. */
function makeFrame() {
  const at = Int32Array.from({ length: rowCount }, () => Math.floor(random() * eventCount)).sort();
  const user = at.map((row) => events.user[row]);
  const time = Float64Array.from(at, (row) => events.time[row]);
  const left = time.map((us) => Math.floor((us - windowUs) / hourUs) * hourUs);
  const from = at.map((row, place) => {
    let first = starts[events.user[row]];
    while (events.time[first] < left[place]) first += 1;
    return first;
  });
  return { user, time, left, from, to: at };
}

/** What evaluateAggregate reads, as a bucket gives it; nothing is kept from one time to the next. */
function openEvents() {
  const columns = [
    columnFromValues(field('number', { id: 'float', bits: 64 }), Array.from(events.number)),
    columnFromValues(field('item', { id: 'int', bits: 64, signed: true }), Array.from(events.item, BigInt)),
  ];
  const rows = Int32Array.from({ length: eventCount }, (_, row) => row);
  return () => ({
    rows: eventCount,
    times: events.time,
    starts,
    choose: () => ({ name: 'all', rows, before: undefined }),
    column: (at) => columns[at],
    type: (at) => ({ kind: at === 0 ? 'float64' : 'int64' }),
    keep: (_, make) => make(),
  });
}

function median(values) {
  return values.length === 0 ? undefined : [...values].sort((a, b) => a - b)[values.length >> 1];
}

function seeded(seed) {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 4_294_967_296;
  };
}
