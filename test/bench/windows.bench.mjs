/**
 * Windows over history: a training set of aggregates in three windows through the running server, beside the same written by hand in
 * DuckDB SQL and in Polars, from the same files in the same run. `BENCH_ROWS` and `BENCH_EVENTS` change the sizes; everyday work has
 * enough of BENCH_ROWS=100000 BENCH_EVENTS=1000000.
 */
import { join } from 'node:path';
import { numbersFrom, prepareBenchPython, runPython, withScratch } from './support/prepare.mjs';

const [rows] = numbersFrom('BENCH_ROWS', [1_000_000]);
const [events] = numbersFrom('BENCH_EVENTS', [10_000_000]);
// A hundred events a key over four weeks, most of them those of few keys.
const [keys] = numbersFrom('BENCH_KEYS', [Math.ceil(events / 100)]);
const [rounds] = numbersFrom('BENCH_ROUNDS', [3]);

const python = await prepareBenchPython();
await withScratch(async (scratch) => {
  const folder = join(scratch, 'repository');
  runPython(python, 'windows/make_data.py', [folder, events, keys]);
  runPython(python, 'windows/compare.py', [folder, rows, rounds]);
});
