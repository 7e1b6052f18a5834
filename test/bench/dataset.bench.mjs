/**
 * Datasets: samples a second into torch tensors beside a Parquet file that pyarrow reads and mosaicml-streaming and litdata, in turns
 * over the same rows, with 0 and 2 workers; then the client's memory over ten times the rows, and the first batch after a resume.
 */
import { join } from 'node:path';
import { preparePython } from '../../dist/demo/prepare-python.js';
import { benchFolder, numbersFrom, prepareBenchPython, root, runPython, withScratch } from './support/prepare.mjs';

const [rows] = numbersFrom('BENCH_ROWS', [1_000_000]);
const [columns] = numbersFrom('BENCH_COLUMNS', [40]);
const [memoryRows] = numbersFrom('BENCH_MEMORY_ROWS', [10_000_000]);
const [rounds] = numbersFrom('BENCH_ROUNDS', [5]);
const shared = { PYTHONPATH: ['support', 'dataset'].map((folder) => join(benchFolder, folder)).join(':') };
// torch as the tests have it, so that every side makes the same tensors; a later filelock refuses what mosaicml-streaming does over a fork.
const peers = ['torch==2.13.0', 'mosaicml-streaming==0.13.*', 'litdata==0.2.*', 'filelock<3.20', 'polars', 'pyarrow', 'numpy'];

/** The Python that has the row-wise peers: a folder of their own, as they pin what the client does not; `-` where they cannot be had. */
async function preparePeers() {
  const venv = join(root, '.venv-loaders');
  try {
    return await preparePython({ venv, set: 'loaders', packages: peers, cwd: root, say: console.log });
  } catch (error) {
    console.log(`mosaicml-streaming and litdata are left out: ${error.message}`);
    console.log(`to have them: python -m venv ${venv} && ${venv}/bin/pip install ${peers.map((name) => `'${name}'`).join(' ')}`);
    return '-';
  }
}

const python = await prepareBenchPython();
const peersPython = await preparePeers();
await withScratch(async (scratch) => {
  runPython(python, 'dataset/make_data.py', [scratch, rows, columns]);
  runPython(python, 'dataset/compare.py', [scratch, rows, rounds, peersPython], shared);
  runPython(python, 'dataset/long_reads.py', [scratch, rows, memoryRows, rounds], shared);
});
