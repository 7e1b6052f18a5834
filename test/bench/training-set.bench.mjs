/**
 * Training sets: from a pandas frame to a complete Arrow table through the running server, beside Polars and DuckDB on the same
 * files in the same run, and beside Feast where FEATHERFLIGHT_BENCH_FEAST names a Python that has `feast[duckdb]`.
 */
import { join } from 'node:path';
import { benchFolder, numbersFrom, prepareBenchPython, runPython, withScratch } from './support/prepare.mjs';

const viewRows = 1_000_000;
// A hundred rows a key, as daily features of a season have; Feast's cost grows with them.
const [keys] = numbersFrom('BENCH_KEYS', [10_000]);
const sizes = numbersFrom('BENCH_ROWS', [100_000, 1_000_000]);
const [rounds] = numbersFrom('BENCH_ROUNDS', [5]);
const feast = process.env.FEATHERFLIGHT_BENCH_FEAST;
const [feastLimitSeconds] = numbersFrom('FEATHERFLIGHT_BENCH_FEAST_LIMIT', [600]);
const shared = { PYTHONPATH: ['support', 'training-set'].map((folder) => join(benchFolder, folder)).join(':') };

const python = await prepareBenchPython();
await withScratch(async (scratch) => {
  const folder = join(scratch, 'repository');
  runPython(python, 'training-set/make_data.py', [folder, viewRows, keys]);
  for (const rows of sizes) runPython(python, 'training-set/compare.py', [folder, rows, keys, rounds]);
  if (feast === undefined) console.log('\nFEATHERFLIGHT_BENCH_FEAST names no Python with feast[duckdb]: Feast is left out');
  else
    for (const rows of sizes) runPython(python, 'feast/beside_feast.py', [folder, rows, keys, feast, feastLimitSeconds], shared);
});
