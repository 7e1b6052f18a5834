/** Other shapes of windows over sorted events, to be measured beside those of src/offline/windows. */
import { DuckDBInstance } from '@duckdb/node-api';
import { compileAggregate } from '../../../dist/aggregate/compile-aggregate.js';

/**
 * Block prefix and suffix, without subtraction: a window is what its block's suffix holds and what came after the block, merged. Blocks end
 * where a window ended when the last one was used up, so that each event is taken in twice at most. By the algebra of any function.
 */
export function mergeBlocks(name, type, size, read, { from, to }) {
  const aggregate = compileAggregate(name, type, size);
  const answers = new Array(to.length);
  const suffixes = [];
  let blockStart = 0;
  let blockEnd = 0;
  let end = 0;
  let after = aggregate.init();
  for (let place = 0; place < to.length; place++) {
    const [first, wanted] = [from[place], to[place]];
    const window = aggregate.init();
    if (first < wanted) {
      if (first >= end) {
        blockEnd = first;
        end = first;
        after = aggregate.init();
      }
      for (; end < wanted; end++) aggregate.update(after, 0n, read(end));
      if (first >= blockEnd) {
        suffixes.length = 0;
        const suffix = aggregate.init();
        for (let at = end - 1; at >= first; at--) {
          aggregate.update(suffix, 0n, read(at));
          const copy = aggregate.init();
          aggregate.merge(copy, suffix);
          suffixes[at - first] = copy;
        }
        blockStart = first;
        blockEnd = end;
        after = aggregate.init();
      }
      aggregate.merge(window, suffixes[first - blockStart]);
      aggregate.merge(window, after);
    }
    answers[place] = aggregate.finalize(window);
  }
  return answers;
}

/** max alone, over numbers, by a queue of the events that may still be the answer, each better than all that come after it. */
export function queueGreatest(ranks, { from, to }) {
  const found = new Int32Array(to.length).fill(-1);
  const queue = new Int32Array(ranks.length);
  let head = 0;
  let tail = 0;
  let end = 0;
  for (let place = 0; place < to.length; place++) {
    const first = from[place];
    const wanted = to[place];
    if (first >= wanted) continue;
    if (first >= end) {
      head = 0;
      tail = 0;
      end = first;
    }
    for (; end < wanted; end++) {
      while (tail > head && ranks[queue[tail - 1]] <= ranks[end]) tail -= 1;
      queue[tail++] = end;
    }
    while (queue[head] < first) head += 1;
    found[place] = queue[head];
  }
  return found;
}

/** float sums alone, by blocks, in plain doubles: not exact, and the least that blocks can take. */
export function mergeSums(numbers, { from, to }) {
  const sums = new Float64Array(to.length);
  const rest = new Float64Array(numbers.length);
  let blockEnd = 0;
  let end = 0;
  let after = 0;
  for (let place = 0; place < to.length; place++) {
    const first = from[place];
    const wanted = to[place];
    if (first >= wanted) continue;
    if (first >= end) {
      blockEnd = first;
      end = first;
      after = 0;
    }
    for (; end < wanted; end++) after += numbers[end];
    if (first >= blockEnd) {
      let sum = 0;
      for (let at = end - 1; at >= first; at--) {
        sum += numbers[at];
        rest[at] = sum;
      }
      blockEnd = end;
      after = 0;
    }
    sums[place] = rest[first] + after;
  }
  return sums;
}

/** Range frames over events and frame rows in one relation, in DuckDB: the milliseconds of each expression over the window `w`. */
export async function timeRangeFrames(events, frame, expressions) {
  const instance = await DuckDBInstance.create(':memory:', { threads: '2' });
  const connection = await instance.connect();
  try {
    await connection.run(
      'create table both_sides (user bigint, place bigint, width bigint, number double, item bigint, nr bigint)',
    );
    const appender = await connection.createAppender('both_sides');
    const append = (user, place, width, number, item, nr) => {
      appender.appendBigInt(BigInt(user));
      appender.appendBigInt(BigInt(place));
      appender.appendBigInt(BigInt(width));
      if (number === null) appender.appendNull();
      else appender.appendDouble(number);
      if (item === null) appender.appendNull();
      else appender.appendBigInt(BigInt(item));
      if (nr === null) appender.appendNull();
      else appender.appendBigInt(BigInt(nr));
      appender.endRow();
    };
    for (let at = 0; at < events.user.length; at++)
      append(events.user[at], 2 * events.time[at] + 1, 0, events.number[at], events.item[at], null);
    for (let row = 0; row < frame.user.length; row++)
      append(frame.user[row], 2 * frame.time[row], 2 * (frame.time[row] - frame.left[row]), null, null, row);
    appender.closeSync();
    const times = {};
    for (const [name, expression] of Object.entries(expressions)) {
      const started = performance.now();
      await connection.run(
        `create or replace table answer as select nr, value from (select nr, ${expression} as value from both_sides
          window w as (partition by user order by place range between width preceding and current row)) where nr is not null`,
      );
      times[name] = performance.now() - started;
    }
    return times;
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}
