/** What a definition expects of a feature's values, as a document. */
import { encodeLiteral } from '../../definitions/literal.ts';
import { formatValueType, type ValueType } from '../../definitions/value-type.ts';
import type { ExpectationDocument } from '../document.ts';
import { type Report, reporting } from '../problems.ts';
import { checkOptions, isRecord } from './options.ts';

const names = ['min', 'max', 'maxNullRate', 'values', 'unique', 'onFailure'];
const ordered = ['int32', 'int64', 'float32', 'float64', 'decimal', 'timestamp', 'date'];

/** The member of the document, where there is one; reports what cannot be expected of that type. */
export function bindExpectation(
  what: string,
  { expect }: { readonly expect?: unknown },
  type: ValueType,
  report: Report,
): { readonly expect?: ExpectationDocument } {
  if (expect === undefined) return {};
  const own = `${what}: expect`;
  if (!isRecord(expect)) {
    report(`${own} is written { min: 0, max: 120, maxNullRate: 0.01 }`);
    return {};
  }
  checkOptions(own, expect, names, report);
  const literal = (name: string, value: unknown) =>
    reporting(report, `${own}.${name}: `, () => encodeLiteral(type, value)) as string | number | boolean | undefined;
  const { min, max, maxNullRate, values, unique, onFailure } = expect;
  if ((min !== undefined || max !== undefined) && !ordered.includes(type.kind))
    report(`${own}: a range is of numbers and times, and not of ${formatValueType(type)}`);
  if (maxNullRate !== undefined && !(typeof maxNullRate === 'number' && maxNullRate >= 0 && maxNullRate <= 1))
    report(`${own}.maxNullRate is a number from 0 to 1`);
  if (values !== undefined && (!Array.isArray(values) || values.length === 0 || type.kind === 'list' || type.kind === 'bytes'))
    report(`${own}.values lists single values of a feature that has such`);
  if (unique !== undefined && unique !== true) report(`${own}.unique is true, or left out`);
  if (onFailure !== undefined && onFailure !== 'fail' && onFailure !== 'warn') report(`${own}.onFailure is "fail" or "warn"`);
  const limits = {
    min: min === undefined ? undefined : literal('min', min),
    max: max === undefined ? undefined : literal('max', max),
  };
  const listed = Array.isArray(values) ? values.map((value) => literal('values', value)) : undefined;
  const members = { ...limits, maxNullRate, values: listed, unique, onFailure };
  return { expect: Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) };
}
