/** Why a value does not fit its column: returned and not thrown, since a stream may be full of such. */
import { FeatureStoreError } from '../../errors.ts';

export class Refusal {
  /** `"abc" is no int64: write a whole number`. */
  readonly reason: string;

  constructor(reason: string) {
    this.reason = reason;
  }
}

export function refuse(value: unknown, what: string, fix: string): Refusal {
  return new Refusal(`${showValue(value)} is no ${what}: ${fix}`);
}

/** What INVALID_ARGUMENT and the like say of a value; all else is a mistake of ours and thrown on. */
export function refusalOf(error: unknown): Refusal {
  if (error instanceof FeatureStoreError && error.code !== 'INTERNAL') return new Refusal(error.message);
  throw error;
}

const shownLength = 60;

/** A value for people, shortened. */
export function showValue(value: unknown): string {
  if (value instanceof Uint8Array) return `a value of ${value.byteLength} bytes`;
  if (value === undefined || typeof value === 'number' || typeof value === 'bigint') return shorten(String(value));
  return typeof value === 'string' ? shorten(JSON.stringify(value.slice(0, 2 * shownLength))) : shorten(toJson(value));
}

/** JSON in which integers that a double does not hold, and what JSON has no word for, are text. */
export function toJson(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) => {
    if (typeof part === 'bigint') return String(part);
    if (typeof part === 'number' && !Number.isFinite(part)) return String(part);
    return part instanceof Uint8Array ? Buffer.from(part).toString('base64') : part;
  });
}

function shorten(text: string): string {
  return text.length > shownLength ? `${text.slice(0, shownLength)}…` : text;
}
