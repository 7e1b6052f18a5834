/**
 * Memory: 10 M entity rows over two views, read batch by batch: the first batch as a share of the whole, the server's peak, the
 * client's growth; over views of 1 M rows that stand in the server's memory, and of 10 M rows that do not.
 */
import { join } from 'node:path';
import { benchFolder, numbersFrom, prepareBenchPython, runPython, withScratch } from './support/prepare.mjs';

const [rows] = numbersFrom('BENCH_ROWS', [10_000_000]);
const viewSizes = numbersFrom('BENCH_VIEW_ROWS', [1_000_000, 10_000_000]);
const keys = 100_000;
const shared = { PYTHONPATH: ['support', 'training-set'].map((folder) => join(benchFolder, folder)).join(':') };

const python = await prepareBenchPython();
await withScratch(async (scratch) => {
  for (const viewRows of viewSizes) {
    console.log(`\ntwo views of ${viewRows.toLocaleString('en')} rows`);
    const folder = join(scratch, `views-of-${viewRows}`);
    runPython(python, 'training-set/make_data.py', [folder, viewRows, keys]);
    runPython(python, 'memory/measure_memory.py', [folder, rows, keys], shared);
  }
});
