/** Errors as answers: the status of each code, in our shape or in the one that Feast's clients turn into an exception. */
import { asFeatureStoreError, type ErrorCode, FeatureStoreError } from '../errors.ts';
import { type Family, jsonType, type Reply } from './resource.ts';

const statuses: Readonly<Record<ErrorCode, number>> = {
  INVALID_ARGUMENT: 400,
  UNAUTHENTICATED: 401,
  PERMISSION_DENIED: 403,
  NOT_FOUND: 404,
  ALREADY_EXISTS: 409,
  FAILED_PRECONDITION: 409,
  ABORTED: 409,
  OUT_OF_RANGE: 413,
  RESOURCE_EXHAUSTED: 429,
  INTERNAL: 500,
  DATA_LOSS: 500,
  UNIMPLEMENTED: 405,
  UNAVAILABLE: 503,
  DEADLINE_EXCEEDED: 504,
};

/** `status` stands for the code's own where HTTP has a better one. */
export function errorReply(family: Family, thrown: unknown, requestId: string, status?: number): Reply {
  const error = toldError(asFeatureStoreError(thrown), requestId);
  return family === 'ours' ? ourReply(error, status) : feastReply(error, status);
}

/** What went wrong inside is for the log: a message that nobody meant for a caller may hold anything. */
function toldError(error: FeatureStoreError, requestId: string): FeatureStoreError {
  if (error.code !== 'INTERNAL') return error;
  return new FeatureStoreError('INTERNAL', `the server failed at this; its log says why under request ${requestId}`, {
    details: { request_id: requestId },
  });
}

function ourReply(error: FeatureStoreError, status = statuses[error.code]): Reply {
  const { code, message, details } = error;
  const headers = { ...retryAfter(error), ...(status === 401 ? { 'www-authenticate': 'Bearer' } : {}) };
  return { status, type: jsonType, headers, body: JSON.stringify({ error: { code, message, details } }, withoutBigints) };
}

/**
 * A JSON string that holds JSON. The client repeats 429, 500, 502, 503 and 504 and then loses the message, so that these are only for
 * what may be well on the next try.
 */
function feastReply(error: FeatureStoreError, wanted = statuses[error.code]): Reply {
  const { code, message, details } = error;
  const status = wanted === 429 || wanted === 504 ? 503 : wanted;
  const told = JSON.stringify({ module: 'feast.errors', class: feastClass(error), message, code, details }, withoutBigints);
  return { status, type: jsonType, headers: retryAfter(error), body: JSON.stringify(told) };
}

const notFoundClasses: ReadonlyMap<unknown, string> = new Map([
  ['feature view', 'FeatureViewNotFoundException'],
  ['feature service', 'FeatureServiceNotFoundException'],
  ['source', 'PushSourceNotFoundException'],
]);

function feastClass({ code, details }: FeatureStoreError): string {
  if (code === 'UNAUTHENTICATED' || code === 'PERMISSION_DENIED') return 'FeastPermissionError';
  const found = code === 'NOT_FOUND' ? notFoundClasses.get(details.kind) : undefined;
  return found ?? 'FeastError';
}

function retryAfter({ code, details }: FeatureStoreError): Readonly<Record<string, string>> {
  const seconds = details.retry_after_seconds;
  if (typeof seconds === 'number') return { 'retry-after': String(Math.max(1, Math.ceil(seconds))) };
  return code === 'UNAVAILABLE' || code === 'RESOURCE_EXHAUSTED' ? { 'retry-after': '1' } : {};
}

function withoutBigints(_name: string, value: unknown): unknown {
  return typeof value === 'bigint' ? String(value) : value;
}
