/** How a call ended, as the error to throw: the server's own where it sent one, else what gRPC says of the connection. */
import { status as grpcStatus, type StatusObject } from '@grpc/grpc-js';
import { z } from 'zod';
import { type ErrorCode, errorCodes, FeatureStoreError } from '../errors.ts';
import { errorTrailer } from '../flight/status.ts';

/** The trailer's JSON. */
const trailerSchema = z.object({
  code: z.enum(errorCodes),
  message: z.string(),
  details: z.record(z.string(), z.unknown()),
});

/** `answered`: something of the answer had come before, so that there was a server. */
export function errorOfStatus(status: StatusObject, address: string, answered: boolean): FeatureStoreError {
  const sent = readTrailer(status);
  if (sent !== undefined) return new FeatureStoreError(sent.code, sent.message, { details: sent.details });
  const reason = status.details || grpcStatus[status.code] || `status ${status.code}`;
  if (status.code !== grpcStatus.UNAVAILABLE)
    return new FeatureStoreError(codeOfStatus(status.code), `${address} did not answer the call: ${reason}`);
  return answered ? lostError(address, reason) : unreachableError(address, reason);
}

/** No server was reached. */
export function unreachableError(address: string, reason: string): FeatureStoreError {
  return new FeatureStoreError(
    'UNAVAILABLE',
    `no answer from ${address} (${reason}); is the server running (featherflight serve)? ` +
      'The address is what --url or FEATHERFLIGHT_URL says; a server with TLS is at grpc+tls://',
    { details: { address } },
  );
}

/** Why a caller's signal stopped a call: a FeatureStoreError as it is, a timeout as DEADLINE_EXCEEDED, anything else as ABORTED. */
export function errorOfAbort(reason: unknown, address: string): FeatureStoreError {
  if (reason instanceof FeatureStoreError) return reason;
  if (reason instanceof Error && reason.name === 'TimeoutError')
    return new FeatureStoreError('DEADLINE_EXCEEDED', `${address} did not answer in time`, { cause: reason });
  return new FeatureStoreError('ABORTED', `the call to ${address} was cancelled`, { cause: reason });
}

function lostError(address: string, reason: string): FeatureStoreError {
  return new FeatureStoreError(
    'UNAVAILABLE',
    `the connection to ${address} was lost before the answer was whole (${reason}); run it again`,
    { details: { address } },
  );
}

function readTrailer({ metadata }: StatusObject): z.output<typeof trailerSchema> | undefined {
  const [value] = metadata.get(errorTrailer);
  if (value === undefined) return undefined;
  try {
    return trailerSchema.safeParse(JSON.parse(value.toString())).data;
  } catch {
    return undefined; // another server's trailer of that name: the status still says what happened
  }
}

function codeOfStatus(code: grpcStatus): ErrorCode {
  if (code === grpcStatus.CANCELLED) return 'ABORTED';
  return errorCodes.find((name) => grpcStatus[name] === code) ?? 'INTERNAL';
}
