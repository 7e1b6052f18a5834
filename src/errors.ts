/** The one error class of the product, with codes that carry gRPC's names. */

export const errorCodes = [
  'INVALID_ARGUMENT',
  'NOT_FOUND',
  'ALREADY_EXISTS',
  'FAILED_PRECONDITION',
  'OUT_OF_RANGE',
  'PERMISSION_DENIED',
  'UNAUTHENTICATED',
  'RESOURCE_EXHAUSTED',
  'ABORTED',
  'DEADLINE_EXCEEDED',
  'UNAVAILABLE',
  'UNIMPLEMENTED',
  'DATA_LOSS',
  'INTERNAL',
] as const;

export type ErrorCode = (typeof errorCodes)[number];

export interface ErrorOptions {
  /** Machine-readable facts about the error: JSON values only. */
  readonly details?: Readonly<Record<string, unknown>>;
  readonly cause?: unknown;
}

/** Says what went wrong, which name it concerns and what to do; `code` is what a caller branches on. */
export class FeatureStoreError extends Error {
  readonly code: ErrorCode;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(code: ErrorCode, message: string, options: ErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'FeatureStoreError';
    this.code = code;
    this.details = options.details ?? {};
  }
}

/** Wraps anything thrown: a FeatureStoreError stays itself, all else becomes INTERNAL with the cause kept. */
export function asFeatureStoreError(thrown: unknown): FeatureStoreError {
  if (thrown instanceof FeatureStoreError) return thrown;
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return new FeatureStoreError('INTERNAL', message, { cause: thrown });
}

/** The valid name closest to a wrong one, or undefined when none is close enough to suggest. */
export function nearestName(wrong: string, valid: Iterable<string>): string | undefined {
  let best: string | undefined;
  let bestDistance = Math.max(2, Math.floor(wrong.length / 2)) + 1;
  for (const name of valid) {
    if (Math.abs(name.length - wrong.length) >= bestDistance) continue;
    const distance = editDistance(wrong.toLowerCase(), name.toLowerCase());
    if (distance < bestDistance) {
      best = name;
      bestDistance = distance;
    }
  }
  return best;
}

/** `; did you mean "x"?`, or nothing when no valid name is near: to end a message about an unknown name. */
export function didYouMean(wrong: string, valid: Iterable<string>): string {
  const nearest = nearestName(wrong, valid);
  return nearest === undefined ? '' : `; did you mean "${nearest}"?`;
}

function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const current = [i];
    for (let j = 1; j <= b.length; j++) {
      const substitution = (previous[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1);
      current.push(Math.min(substitution, (previous[j] as number) + 1, (current[j - 1] as number) + 1));
    }
    previous = current;
  }
  return previous[b.length] as number;
}
