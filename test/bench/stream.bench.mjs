/**
 * Streams: a wide numeric table and a string table from server to pyarrow client, beside pyarrow's own C++ Flight server on the
 * same data in the same run; the Flight room by itself, then the whole product.
 */
import { numbersFrom, prepareBenchPython, runPython, withScratch } from './support/prepare.mjs';

const [rounds] = numbersFrom('BENCH_ROUNDS', [9]);
const python = await prepareBenchPython();
await withScratch(async (scratch) => runPython(python, 'stream/compare.py', [scratch, rounds]));
