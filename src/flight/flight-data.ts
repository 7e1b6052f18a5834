/** FlightData, the message that carries Arrow: `{ FlightDescriptor = 1; bytes data_header = 2; bytes app_metadata = 3; bytes data_body = 1000 }`. */
import { FeatureStoreError } from '../errors.ts';
import { encodeDescriptor } from './messages.ts';
import type { FlightDescriptor, FlightMessage, UploadMessage } from './protocol.ts';
import { bytesField, concatBytes, lengthPrefix, messageField, readFields } from './wire.ts';

/** gRPC's length field has 32 bits, but no client takes a message of 2 GiB. */
const maxMessageBytes = 0x7fffffff;

/**
 * A message to send, as parts of which the body's are those given, not copied: the bytes of the FlightData are the parts in order.
 * Throws INTERNAL for a message without a header (stock clients end a stream there) and for one of 2 GiB.
 */
export function encodeFlightData(message: FlightMessage, descriptor?: FlightDescriptor): Uint8Array[] {
  if (message.header.length === 0) {
    throw new FeatureStoreError('INTERNAL', 'an Arrow message without a header was about to be sent');
  }
  const bodyBytes = message.body.reduce((sum, part) => sum + part.length, 0);
  if (bodyBytes + message.header.length + (message.metadata?.length ?? 0) > maxMessageBytes - 64) {
    throw new FeatureStoreError(
      'INTERNAL',
      `an Arrow message of ${bodyBytes} bytes is too long for gRPC: ask for smaller batches`,
    );
  }
  const head = concatBytes([
    ...(descriptor === undefined ? [] : [messageField(1, [encodeDescriptor(descriptor)])]),
    bytesField(2, message.header),
    bytesField(3, message.metadata),
    ...(bodyBytes === 0 ? [] : [lengthPrefix(1000, bodyBytes)]),
  ]);
  return [head, ...message.body];
}

/** A received message as views of its bytes; `descriptor` is left encoded. Throws INVALID_ARGUMENT for bytes that are no FlightData. */
export function decodeFlightData(bytes: Uint8Array): UploadMessage & { readonly descriptor: Uint8Array | undefined } {
  let descriptor: Uint8Array | undefined;
  let header: Uint8Array = new Uint8Array(0);
  let metadata: Uint8Array | undefined;
  let body: Uint8Array = new Uint8Array(0);
  for (const field of readFields(bytes)) {
    if (field.number === 1) descriptor = field.bytes;
    else if (field.number === 2) header = field.bytes;
    else if (field.number === 3) metadata = field.bytes;
    else if (field.number === 1000) body = field.bytes;
  }
  return { descriptor, header, metadata, body };
}
