/**
 * sum, mean and stddev over windows, exact before they are rounded. Integers whose sums doubles hold: differences of running sums. Floats:
 * the same in two doubles. What neither can hold is added and taken away one by one; windows with infinities, NaN or floats of extreme
 * size, and the few that two doubles do not decide, are merged from blocks.
 */
import { isReversible, largestUsual, smallestUsual } from '../../aggregate/aggregate.ts';
import { compileAggregate } from '../../aggregate/compile-aggregate.ts';
import { addFloat, roundSum } from '../../aggregate/float-sum.ts';
import type { EvaluateInput } from './evaluate-input.ts';
import { evaluateStepwise } from './evaluate-stepwise.ts';
import type { Evaluated } from './evaluated.ts';
import { mergeBlocks } from './merge-blocks.ts';
import { numbersOf } from './numbers-of.ts';
import { createRunningSums, type RunningSums, roundFound } from './running-sums.ts';

type Numbers = Float64Array | Float32Array | Int32Array;

export function evaluateSum(name: 'sum' | 'mean' | 'stddev', input: EvaluateInput): Evaluated {
  const type = input.events.type(input.value);
  const isFloat = type.kind === 'float64' || type.kind === 'float32';
  if (name === 'stddev') return deviate(input);
  if (isFloat) return sumFloats(name, input);
  const sums = type.kind === 'decimal' ? undefined : sumIntegers(name, input);
  return sums ?? evaluateStepwise(name, input);
}

/** undefined where doubles cannot hold all sums. */
function sumIntegers(
  name: 'sum' | 'mean',
  { events, chosen, bounds: { from, to }, value }: EvaluateInput,
): Evaluated | undefined {
  const { sums } = events.keep(`sums of ${value} of ${chosen.name}`, () => ({
    sums: addUp(numbersOf(events, value), chosen.rows),
  }));
  if (sums === undefined) return undefined;
  if (name === 'mean') {
    const numbers = new Float64Array(to.length);
    const nulls = new Uint8Array(to.length);
    for (let place = 0; place < numbers.length; place++) {
      const [first, end] = [from[place] as number, to[place] as number];
      if (first === end) nulls[place] = 1;
      else numbers[place] = ((sums[end] as number) - (sums[first] as number)) / (end - first) + 0;
    }
    return { kind: 'numbers', numbers, nulls };
  }
  const words = new Int32Array(2 * to.length);
  for (let place = 0; place < to.length; place++) {
    const sum = (sums[to[place] as number] as number) - (sums[from[place] as number] as number);
    const high = Math.floor(sum / 4_294_967_296);
    words[2 * place] = (sum - high * 4_294_967_296) | 0;
    words[2 * place + 1] = high;
  }
  return { kind: 'numbers', numbers: new BigInt64Array(words.buffer) };
}

function addUp(numbers: Numbers, rows: Int32Array): Float64Array | undefined {
  const sums = new Float64Array(rows.length + 1);
  let size = 0;
  for (let at = 0; at < rows.length; at++) {
    const number = numbers[rows[at] as number] as number;
    size += Math.abs(number);
    sums[at + 1] = (sums[at] as number) + number;
  }
  return size <= Number.MAX_SAFE_INTEGER ? sums : undefined;
}

function sumFloats(name: 'sum' | 'mean', input: EvaluateInput): Evaluated {
  const { events, chosen, bounds, value } = input;
  const { from, to } = bounds;
  const { rows } = chosen;
  const numbers = numbersOf(events, value);
  const aggregate = compileAggregate(name, events.type(value));
  const result = new Float64Array(to.length);
  const nulls = name === 'mean' ? new Uint8Array(to.length) : undefined;
  const extremes = countExtremes(numbers, rows);
  const sums = createRunningSums();
  const undecided: number[] = [];
  for (let place = 0; place < result.length; place++) {
    const [first, end] = [from[place] as number, to[place] as number];
    if (first >= end) {
      if (nulls !== undefined) nulls[place] = 1;
      continue;
    }
    if (extremes !== undefined && extremes[first] !== extremes[end]) {
      undecided.push(place);
      continue;
    }
    if (beginsAnew(sums, first, end)) sums.begin(first);
    for (let at = sums.end; at < end; at++) sums.add(usual(numbers[rows[at] as number] as number));
    sums.find(first, end);
    const sum = roundFound(sums.found) ?? (sums.isExact ? roundSum({ parts: expand(sums.parts) }) : undefined);
    if (sum === undefined) undecided.push(place);
    else result[place] = name === 'mean' ? sum / (end - first) + 0 : sum;
  }
  mergeBlocks(
    aggregate,
    (at) => numbers[rows[at] as number] as number,
    bounds,
    undecided,
    (place, value) => {
      result[place] = value as number;
    },
  );
  return { kind: 'numbers', numbers: result, nulls };
}

function deviate({ events, chosen, bounds, value }: EvaluateInput): Evaluated {
  const { from, to } = bounds;
  const { rows } = chosen;
  const numbers = numbersOf(events, value);
  const aggregate = compileAggregate('stddev', events.type(value));
  const result = new Float64Array(to.length);
  const nulls = new Uint8Array(to.length);
  const extremes = countExtremes(numbers, rows);
  const sums = createRunningSums();
  const squares = createRunningSums();
  const undecided: number[] = [];
  for (let place = 0; place < result.length; place++) {
    const [first, end] = [from[place] as number, to[place] as number];
    if (end - first < 2) {
      nulls[place] = 1;
      continue;
    }
    if (extremes !== undefined && extremes[first] !== extremes[end]) {
      undecided.push(place);
      continue;
    }
    if (beginsAnew(sums, first, end)) {
      sums.begin(first);
      squares.begin(first);
    }
    for (let at = sums.end; at < end; at++) {
      const number = usual(numbers[rows[at] as number] as number);
      sums.add(number);
      const square = number * number;
      const head = headOf(number);
      const tail = number - head;
      squares.add(square);
      squares.addRest(tail * tail - (square - head * head - 2 * head * tail));
    }
    sums.find(first, end);
    squares.find(first, end);
    const rest = roundRest(sums.found, squares.found, end - first);
    if (rest !== undefined) result[place] = Math.sqrt(Math.max(0, rest) / (end - first - 1));
    else if (sums.isExact && squares.isExact) {
      const saved = [BigInt(end - first), 0n, expand(sums.parts), expand(squares.parts)];
      result[place] = aggregate.finalize(aggregate.load(saved)) as number;
    } else undecided.push(place);
  }
  mergeBlocks(
    aggregate,
    (at) => numbers[rows[at] as number] as number,
    bounds,
    undecided,
    (place, value) => {
      result[place] = value as number;
    },
  );
  return { kind: 'numbers', numbers: result, nulls };
}

/** The double nearest to the sum of squares less the square of the sum over n, undefined where two doubles do not decide it. */
function roundRest(sum: Float64Array, squares: Float64Array, n: number): number | undefined {
  const [high, low, away] = sum as unknown as readonly [number, number, number];
  const [ofSquares, ofSquaresLow, ofSquaresAway] = squares as unknown as readonly [number, number, number];
  const square = high * high;
  const head = headOf(high);
  const tail = high - head;
  const squareLow = tail * tail - (square - head * head - 2 * head * tail) + 2 * high * low;
  const quotient = square / n;
  const product = quotient * n;
  const quotientHead = headOf(quotient);
  const quotientTail = quotient - quotientHead;
  const nHead = headOf(n);
  const nTail = n - nHead;
  const productLow = quotientTail * nTail - (product - quotientHead * nHead - quotientTail * nHead - quotientHead * nTail);
  const quotientLow = (square - product - productLow + squareLow) / n;
  const rest = ofSquares - quotient;
  const shadow = rest - ofSquares;
  const restLow = ofSquares - (rest - shadow) + (-quotient - shadow) + ofSquaresLow - quotientLow;
  // Each operation on the small parts is off by at most 2^-53 of them, which are 2^-52 of the great ones; there are about twenty.
  const error =
    ofSquaresAway + (2.01 * Math.abs(high) * away) / n + (ofSquares + quotient) * 2 ** -98 + Math.abs(restLow) * 2 ** -50;
  const least = rest + (restLow - error);
  return least === rest + (restLow + error) ? least : undefined;
}

/** Running sums that began far before a window hold it less well, and those that ended before it not at all. */
function beginsAnew(sums: RunningSums, first: number, end: number): boolean {
  return first >= sums.end || first - sums.begun > 1024 + 4 * (end - first);
}

/** What cannot be taken away again takes no part in running sums. */
function usual(value: number): number {
  const size = Math.abs(value);
  return size >= smallestUsual && size < largestUsual ? value : 0;
}

function headOf(value: number): number {
  const shifted = value * 134_217_729;
  return shifted - (shifted - value);
}

/** A few doubles as an exact sum. */
function expand(few: Float64Array): number[] {
  const sum = { parts: [] as number[] };
  for (const part of few) addFloat(sum, part);
  return sum.parts;
}

/** How many values before each cannot be taken back; undefined where all can. */
function countExtremes(numbers: Numbers, rows: Int32Array): Int32Array | undefined {
  let any = false;
  for (let at = 0; at < rows.length && !any; at++) any = !isReversible(numbers[rows[at] as number] as number);
  if (!any) return undefined;
  const before = new Int32Array(rows.length + 1);
  for (let at = 0; at < rows.length; at++) {
    before[at + 1] = (before[at] as number) + (isReversible(numbers[rows[at] as number] as number) ? 0 : 1);
  }
  return before;
}
