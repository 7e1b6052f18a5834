/** Which part of a dataset each row of its frame comes into: by time, by entity or by chance, each a pure function of the row. */
import { hash } from 'node:crypto';
import { valueFormat } from '../arrow/format-value.ts';
import { readValue } from '../arrow/read-value.ts';
import type { Schema } from '../arrow/schema.ts';
import { parseInstantUs } from '../definitions/literal.ts';
import { didYouMean, FeatureStoreError } from '../errors.ts';
import type { FrameBatch } from '../offline/answer/answer.ts';
import { readTimes } from '../offline/frame/read-times.ts';
import { instantAt } from '../offline/instants.ts';
import { partsOf, type Split } from './request.ts';

/** The part of each row of a batch, whose first row is row `firstRow` of the frame: an index into the split's parts. */
export type AssignParts = (batch: FrameBatch, firstRow: number) => Uint8Array;

export interface SplitOptions {
  /** The column of the rows' time; null where one T is for all. */
  readonly timestamp: string | null;
  readonly timezone: string | undefined;
}

/** Compiles a split; INVALID_ARGUMENT names a column that the frame has not, and later a row that comes into no part. */
export function compileSplit(split: Split | null | undefined, frame: Schema, options: SplitOptions): AssignParts {
  const parts = partsOf(split);
  if (parts.length > 256) throw refuse(`a dataset may have 256 parts, not ${parts.length}`);
  if (split?.time !== undefined) return byTime(split.time, frame, options);
  if (split?.entity !== undefined) return byEntity(split.entity, frame);
  if (split?.random !== undefined) return byChance(split.random);
  return (batch) => new Uint8Array(batch.length);
}

function byTime({ column, boundaries }: NonNullable<Split['time']>, frame: Schema, options: SplitOptions): AssignParts {
  const name = column ?? options.timestamp;
  if (name == null) throw refuse('with one time for all rows (`at`) a split by time needs its `column`');
  const index = findColumn(frame, name);
  const untils = boundaries.slice(0, -1).map(({ name: part, until }) => {
    try {
      return parseInstantUs(until as string);
    } catch (cause) {
      throw refuse(`part "${part}": "${until}" is no instant, such as 2026-03-01T00:00:00Z`, {}, cause);
    }
  });
  for (const [at, until] of untils.entries())
    if (at > 0 && until <= (untils[at - 1] as bigint))
      throw refuse(`part "${boundaries[at]?.name}" ends no later than the one before it; write the parts in the order of time`);
  return (batch, firstRow) => {
    const times = readTimes(batch.plain(index), name, options.timezone, firstRow);
    const parts = new Uint8Array(batch.length);
    for (let row = 0; row < batch.length; row++) {
      if (times.nulls?.[row] === 1) throw nullRow(name, firstRow + row, 'time');
      const us = instantAt(times, row);
      let part = 0;
      while (part < untils.length && us >= (untils[part] as bigint)) part += 1;
      parts[row] = part;
    }
    return parts;
  };
}

/** A row's draw is of the JSON text [seed, value, …] of its keys, each as text. */
function byEntity({ keys, parts, seed }: NonNullable<Split['entity']>, frame: Schema): AssignParts {
  const columns = keys.map((name) => ({ name, index: findColumn(frame, name) }));
  const draw = drawPart(parts);
  return (batch, firstRow) => {
    const read = columns.map(({ name, index }) => {
      const column = batch.plain(index);
      return { name, column, format: valueFormat(column.field) };
    });
    const drawn = new Uint8Array(batch.length);
    for (let row = 0; row < batch.length; row++) {
      const texts = read.map(({ name, column, format }) => {
        const value = readValue(column, row);
        if (value === null) throw nullRow(name, firstRow + row, 'key');
        return format(value);
      });
      drawn[row] = draw([seed, ...texts]);
    }
    return drawn;
  };
}

/** A row's draw is of the JSON text [seed, row]. */
function byChance({ parts, seed }: NonNullable<Split['random']>): AssignParts {
  const draw = drawPart(parts);
  return (batch, firstRow) => Uint8Array.from({ length: batch.length }, (_, row) => draw([seed, firstRow + row]));
}

/** The first 6 bytes of the text's SHA-256 are a number from 0 to 1, which falls into the share of one part. */
function drawPart(shares: Readonly<Record<string, number>>): (what: readonly unknown[]) => number {
  let sum = 0;
  const ends = Object.values(shares).map((share) => {
    sum += share;
    return sum;
  });
  const last = ends.length - 1;
  return (what) => {
    const drawn = hash('sha256', JSON.stringify(what), 'buffer').readUIntBE(0, 6) / 2 ** 48;
    const part = ends.findIndex((end) => drawn < end);
    return part < 0 ? last : part;
  };
}

function findColumn(frame: Schema, name: string): number {
  const names = frame.fields.map((field) => field.name);
  const index = names.indexOf(name);
  if (index >= 0) return index;
  throw refuse(`the frame has no column "${name}"${didYouMean(name, names)}`, { column: name, columns: names });
}

function nullRow(column: string, row: number, what: 'time' | 'key'): FeatureStoreError {
  const fix = what === 'time' ? 'a row without a time has no place in time' : 'a row without a key belongs to no entity';
  return refuse(`row ${row} has no "${column}", and ${fix}; fill it or leave the row out`, { column, row });
}

function refuse(what: string, details: Readonly<Record<string, unknown>> = {}, cause?: unknown): FeatureStoreError {
  return new FeatureStoreError('INVALID_ARGUMENT', `split: ${what}`, { details, cause });
}
