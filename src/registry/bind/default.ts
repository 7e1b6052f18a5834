/** Defaults of features as documents. */
import { fittedKinds } from '../../definitions/fitted.ts';
import { encodeLiteral } from '../../definitions/literal.ts';
import { formatValueType, type ValueType } from '../../definitions/value-type.ts';
import { didYouMean } from '../../errors.ts';
import type { DefaultDocument, FittedKind } from '../document.ts';
import { type Report, reporting } from '../problems.ts';
import { isRecord } from './options.ts';

/** Checks a default against its feature's type (rules 5.2 and 5.3). */
export function bindDefault(what: string, type: ValueType, value: unknown, report: Report): DefaultDocument | undefined {
  if (isRecord(value) && value.kind === 'fitted') return bindFitted(what, type, value.function, report);
  if (value === null) {
    report(`${what}: a default of null replaces nothing; leave it out`);
    return undefined;
  }
  const literal = reporting(report, `${what}: default `, () => encodeLiteral(type, value));
  return literal === undefined ? undefined : { literal };
}

function bindFitted(what: string, type: ValueType, name: unknown, report: Report): DefaultDocument | undefined {
  if (!fittedKinds.includes(name as FittedKind)) {
    report(
      `${what}: fitted("${String(name)}") is unknown; it is one of ${fittedKinds.join(', ')}${didYouMean(String(name), fittedKinds)}`,
    );
    return undefined;
  }
  if (name !== 'mode' && type.kind !== 'float32' && type.kind !== 'float64') {
    report(
      `${what}: fitted("${String(name)}") is for float features, not ${formatValueType(type)}; use fitted("mode") or a literal`,
    );
    return undefined;
  }
  return { fitted: name as FittedKind };
}
