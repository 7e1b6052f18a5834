/** What was thrown, as a gRPC status with the product's error trailer. */
import { status as grpcStatus, Metadata, type StatusObject } from '@grpc/grpc-js';
import { asFeatureStoreError } from '../errors.ts';

/** Trailer with the UTF-8 JSON `{"code", "message", "details"}` of a FeatureStoreError. */
export const errorTrailer = 'featherflight-error-bin';

/** Clients refuse trailers of more than 8 KiB; what gRPC itself adds needs a little of that. */
const trailerBudgetBytes = 7_680;
/** How much of a message that had to be shortened is kept, percent-encoded. */
const shortMessageBytes = 2_048;

/** Percent-encoding throws on it. */
const loneSurrogate = /\p{Surrogate}/gu;

export const okStatus: StatusObject = { code: grpcStatus.OK, details: '', metadata: new Metadata() };

/**
 * The status of the same name as the error's code (INTERNAL for anything but a FeatureStoreError) and the trailer. Where both together
 * would pass 8 KiB the details are replaced by `{"truncated": true}`, and if that is not enough the message is shortened.
 */
export function statusOfError(thrown: unknown): StatusObject {
  const error = asFeatureStoreError(thrown);
  const message = error.message.replace(loneSurrogate, '\ufffd');
  const json = [error.details, { truncated: true }]
    .map((details) => errorJson(error.code, message, details))
    .find((text) => text !== undefined && trailerBytes(message, text) <= trailerBudgetBytes);
  if (json !== undefined) return toStatus(error.code, message, json);
  const short = shorten(message);
  return toStatus(error.code, short, errorJson(error.code, short, { truncated: true }) as string);
}

function toStatus(code: keyof typeof grpcStatus, message: string, json: string): StatusObject {
  const metadata = new Metadata();
  metadata.set(errorTrailer, Buffer.from(json));
  return { code: grpcStatus[code], details: message, metadata };
}

function errorJson(code: string, message: string, details: object): string | undefined {
  try {
    return JSON.stringify({ code, message, details }, (_, value: unknown) =>
      typeof value === 'bigint' ? value.toString() : value,
    );
  } catch {
    return undefined; // details that hold themselves: the error itself must still reach the client
  }
}

function trailerBytes(message: string, json: string): number {
  return encodeURI(message).length + Math.ceil(Buffer.byteLength(json) / 3) * 4;
}

function shorten(message: string): string {
  let kept = '';
  let bytes = 0;
  for (const character of message) {
    bytes += encodeURI(character).length;
    if (bytes > shortMessageBytes) break;
    kept += character;
  }
  return `${kept} …`;
}
