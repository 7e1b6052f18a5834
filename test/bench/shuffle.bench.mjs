/** How well the order of an epoch mixes, beside an order in which every permutation is equally likely: docs/reference/shuffle.md. */
import { createOrder } from '../../dist/dataset/order.js';
import { numbersFrom } from './support/prepare.mjs';

const [rows] = numbersFrom('BENCH_ROWS', [1_000_000]);
const blockRows = 4096;
const batchRows = 4096;

const rounds = [
  ['blocks alone', 1, blockRows],
  ['8 blocks', 8, blockRows],
  ['16 blocks', 16, blockRows],
  ['64 blocks', 64, blockRows],
  ['256 blocks', 256, blockRows],
  ['all rows at once', 1, rows],
];

console.log(`${rows} rows in blocks of ${blockRows}; batches of ${batchRows}`);
for (const [name, windowBlocks, size] of rounds) {
  const started = process.cpuUsage();
  const order = createOrder({ id: 'x', split: 'all', rows, blockRows: size, shuffle: { seed: 1, epoch: 0, windowBlocks } });
  const found = new Float64Array(rows);
  for (let at = 0; at < rows; ) {
    const window = order.windowAt(at);
    for (let i = 0; i < window.rows; i++) found[at++] = window.blocks[window.which[i]] * size + window.row[i];
  }
  const nsPerRow = (process.cpuUsage(started).user * 1000) / rows;
  const { spread, neighbours, correlation, deviation } = measure(found);
  console.log(
    `  ${name.padEnd(20)} spread ${spread.toFixed(3)}, neighbours of one block ${neighbours.toFixed(4)}, ` +
      `correlation of neighbours ${correlation.toFixed(4)}, batches ${deviation.toFixed(2)}; ${nsPerRow.toFixed(0)} ns a row`,
  );
}

function measure(order) {
  const mean = (rows - 1) / 2;
  let spread = 0;
  let neighbours = 0;
  let together = 0;
  let variance = 0;
  for (let at = 0; at < rows; at++) {
    spread += Math.abs(order[at] - at);
    variance += (order[at] - mean) ** 2;
    if (at === 0) continue;
    if (Math.floor(order[at] / blockRows) === Math.floor(order[at - 1] / blockRows)) neighbours++;
    together += (order[at] - mean) * (order[at - 1] - mean);
  }
  return {
    spread: spread / rows / rows,
    neighbours: neighbours / (rows - 1),
    correlation: together / variance,
    deviation: deviationOfBatches(order) / Math.sqrt(0.25 / batchRows),
  };
}

/** Of a label that is 1 in the first half of the rows as they lie: the worst case, a set sorted by its label. */
function deviationOfBatches(order) {
  let squares = 0;
  const batches = Math.floor(rows / batchRows);
  for (let batch = 0; batch < batches; batch++) {
    let ones = 0;
    for (let at = batch * batchRows; at < (batch + 1) * batchRows; at++) if (order[at] < rows / 2) ones++;
    squares += (ones / batchRows - 0.5) ** 2;
  }
  return Math.sqrt(squares / batches);
}
