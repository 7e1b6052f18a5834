/** From rows that were read to columns with a status for each value, by the rules of training sets (section 5). */
import type { LiteralValue } from '../../definitions/literal.ts';
import { statusNames } from '../../definitions/status.ts';
import type { PlannedFeature, PlannedTransform } from './plan.ts';
import type { ReadRow } from './reader.ts';

/** A column without its name. */
export interface FilledColumn {
  readonly values: readonly LiteralValue[];
  readonly statuses: Uint8Array;
  readonly isDefault: Uint8Array;
  readonly eventUs: readonly (bigint | null)[];
  /** Rows whose value is null for being outside its type (rule 6.10). */
  readonly outOfRange: number;
}

const present = statusNames.indexOf('PRESENT');
const nullValue = statusNames.indexOf('NULL_VALUE');
const notFound = statusNames.indexOf('NOT_FOUND');
const outsideMaxAge = statusNames.indexOf('OUTSIDE_MAX_AGE');

type Found = readonly (ReadRow | undefined)[];

/** The event times of a lookup's rows, which all of its features share but those of windows. */
export function eventsOf(found: Found): readonly (bigint | null)[] {
  return found.map((row) => (row === undefined ? null : row.eventUs));
}

/** A feature's values; `fallback` replaces what is not PRESENT. */
export function fillFeature(
  { place }: PlannedFeature,
  found: Found,
  events: readonly (bigint | null)[],
  fallback: { readonly value: LiteralValue | undefined } | undefined,
): FilledColumn {
  const rows = found.length;
  const values = new Array<LiteralValue>(rows);
  const statuses = new Uint8Array(rows);
  const isDefault = new Uint8Array(rows);
  const replacement = fallback?.value;
  let own: (bigint | null)[] | undefined;
  let outOfRange = 0;
  for (let at = 0; at < rows; at++) {
    const row = found[at];
    const stored = row?.values[place];
    let status = present;
    if (stored === undefined) {
      status = notFound;
      if (row !== undefined) {
        // Of a row written under another definition of the feature nothing is told, its time neither (rule 8.3).
        own ??= [...events];
        own[at] = null;
      }
    } else {
      if (row?.eventsUs !== undefined) {
        own ??= [...events];
        own[at] = row.eventsUs[place] as bigint | null;
      }
      if (row?.isTooOld === true) status = outsideMaxAge;
      else if (stored === null) {
        status = nullValue;
        if (row?.outOfRange?.includes(place) === true) outOfRange += 1;
      }
    }
    statuses[at] = status;
    if (status === present) values[at] = stored as LiteralValue;
    else if (replacement === undefined) values[at] = null;
    else {
      values[at] = replacement;
      isDefault[at] = 1;
    }
  }
  return { values, statuses, isDefault, eventUs: own ?? events, outOfRange };
}

/** One entity for all rows: its values, repeated; `repeatedEvents` are the event times of its row, which features share, for all rows. */
export function repeatColumn(
  { values, statuses, isDefault, eventUs, outOfRange }: FilledColumn,
  rows: number,
  repeatedEvents: readonly (bigint | null)[],
): FilledColumn {
  return {
    values: new Array<LiteralValue>(rows).fill(values[0] as LiteralValue),
    statuses: new Uint8Array(rows).fill(statuses[0] as number),
    isDefault: new Uint8Array(rows).fill(isDefault[0] as number),
    eventUs: eventUs[0] === repeatedEvents[0] ? repeatedEvents : new Array<bigint | null>(rows).fill(eventUs[0] as bigint | null),
    outOfRange: outOfRange * rows,
  };
}

/** Runs a transform over all rows: its features in their order (rule 7.3). */
export function computeColumns(
  { transform, outputs }: PlannedTransform,
  inputs: readonly FilledColumn[],
  request: readonly (readonly LiteralValue[])[],
  atUs: bigint,
  rows: number,
): readonly FilledColumn[] {
  const columns = outputs.map(() => new Array<LiteralValue>(rows));
  const timesUs = new Array<bigint>(rows).fill(atUs);
  transform.run({ timesUs, inputs: inputs.map(({ values }) => values), request }, 0, rows, columns);
  const eventUs = new Array<null>(rows).fill(null);
  const isDefault = new Uint8Array(rows);
  return columns.map((values) => ({
    values,
    statuses: Uint8Array.from(values, (value) => (value === null ? nullValue : present)),
    isDefault,
    eventUs,
    outOfRange: 0,
  }));
}
