/** Encodes and decodes the messages of the Flight protocol, all but FlightData (`flight-data.ts`). Decoders throw INVALID_ARGUMENT. */
import { FeatureStoreError } from '../errors.ts';
import type { FlightAction, FlightDescriptor, FlightEndpoint, FlightInfo, PollInfo } from './protocol.ts';
import { bytesField, concatBytes, messageField, readFields, readText, varintField, type WireField } from './wire.ts';

const empty = new Uint8Array(0);

/** `FlightDescriptor { type = 1 (1 PATH, 2 CMD); bytes cmd = 2; repeated string path = 3 }` */
export function encodeDescriptor(descriptor: FlightDescriptor): Uint8Array {
  if (descriptor.type === 'cmd') return concatBytes([varintField(1, 2), bytesField(2, descriptor.cmd)]);
  return concatBytes([varintField(1, 1), ...descriptor.path.map((segment) => messageField(3, [Buffer.from(segment)]))]);
}

export function decodeDescriptor(message: Uint8Array): FlightDescriptor {
  let type = 0n;
  let cmd: Uint8Array = empty;
  const path: string[] = [];
  for (const field of readFields(message)) {
    if (field.number === 1) type = field.varint;
    else if (field.number === 2) cmd = field.bytes;
    else if (field.number === 3) path.push(readText(field));
  }
  if (type === 2n) return { type: 'cmd', cmd };
  if (type === 1n) return { type: 'path', path };
  throw new FeatureStoreError('INVALID_ARGUMENT', `flight descriptor of unknown type ${type}: send a command (2) or a path (1)`);
}

/** `Ticket`, `Criteria`, `Result`, `SchemaResult` and `PutResult` are all `{ bytes = 1 }`. */
export function encodeSingleBytes(bytes: Uint8Array): Uint8Array {
  return bytesField(1, bytes);
}

export function decodeSingleBytes(message: Uint8Array): Uint8Array {
  let bytes: Uint8Array = empty;
  for (const field of readFields(message)) if (field.number === 1) bytes = field.bytes;
  return bytes;
}

/** `Action { string type = 1; bytes body = 2 }` */
export function encodeAction(type: string, body: Uint8Array): Uint8Array {
  return concatBytes([bytesField(1, type), bytesField(2, body)]);
}

export function decodeAction(message: Uint8Array): { type: string; body: Uint8Array } {
  let type = '';
  let body: Uint8Array = empty;
  for (const field of readFields(message)) {
    if (field.number === 1) type = readText(field);
    else if (field.number === 2) body = field.bytes;
  }
  return { type, body };
}

/** `ActionType { string type = 1; string description = 2 }` */
export function encodeActionType(action: FlightAction): Uint8Array {
  return concatBytes([bytesField(1, action.type), bytesField(2, action.description)]);
}

export function decodeActionType(message: Uint8Array): FlightAction {
  let type = '';
  let description = '';
  for (const field of readFields(message)) {
    if (field.number === 1) type = readText(field);
    else if (field.number === 2) description = readText(field);
  }
  return { type, description };
}

/** `HandshakeRequest` and `HandshakeResponse { uint64 protocol_version = 1; bytes payload = 2 }`; the version is always 0. */
export function encodeHandshake(payload: Uint8Array): Uint8Array {
  return bytesField(2, payload);
}

export function decodeHandshake(message: Uint8Array): Uint8Array {
  let payload: Uint8Array = empty;
  for (const field of readFields(message)) if (field.number === 2) payload = field.bytes;
  return payload;
}

/** `FlightEndpoint { Ticket ticket = 1; repeated Location location = 2; Timestamp expiration_time = 3; bytes app_metadata = 4 }` */
export function encodeEndpoint(endpoint: FlightEndpoint): Uint8Array {
  return concatBytes([
    messageField(1, [encodeSingleBytes(endpoint.ticket)]),
    ...endpoint.locations.map((uri) => messageField(2, [bytesField(1, uri)])),
    ...(endpoint.expiration === undefined ? [] : [messageField(3, [encodeTimestamp(endpoint.expiration)])]),
    bytesField(4, endpoint.metadata),
  ]);
}

export function decodeEndpoint(message: Uint8Array): FlightEndpoint {
  let ticket: Uint8Array = empty;
  const locations: string[] = [];
  let expiration: bigint | undefined;
  let metadata: Uint8Array | undefined;
  for (const field of readFields(message)) {
    if (field.number === 1) ticket = decodeSingleBytes(field.bytes);
    else if (field.number === 2) locations.push(decodeLocation(field.bytes));
    else if (field.number === 3) expiration = decodeTimestamp(field.bytes);
    else if (field.number === 4) metadata = field.bytes;
  }
  return { ticket, locations, expiration, metadata };
}

/**
 * `FlightInfo { bytes schema = 1; FlightDescriptor flight_descriptor = 2; repeated FlightEndpoint endpoint = 3; int64 total_records = 4;
 * int64 total_bytes = 5; bool ordered = 6; bytes app_metadata = 7 }`
 */
export function encodeFlightInfo(info: FlightInfo): Uint8Array {
  return concatBytes([
    bytesField(1, info.schema),
    ...optionalDescriptor(2, info.descriptor),
    ...info.endpoints.map((endpoint) => messageField(3, [encodeEndpoint(endpoint)])),
    varintField(4, info.totalRecords),
    varintField(5, info.totalBytes),
    varintField(6, info.ordered ? 1 : 0),
    bytesField(7, info.metadata),
  ]);
}

export function decodeFlightInfo(message: Uint8Array): FlightInfo {
  let schema: Uint8Array = empty;
  let descriptor: FlightDescriptor | undefined;
  const endpoints: FlightEndpoint[] = [];
  let totalRecords = 0n;
  let totalBytes = 0n;
  let ordered = false;
  let metadata: Uint8Array | undefined;
  for (const field of readFields(message)) {
    if (field.number === 1) schema = field.bytes;
    else if (field.number === 2) descriptor = decodeDescriptor(field.bytes);
    else if (field.number === 3) endpoints.push(decodeEndpoint(field.bytes));
    else if (field.number === 4) totalRecords = signed(field);
    else if (field.number === 5) totalBytes = signed(field);
    else if (field.number === 6) ordered = field.varint !== 0n;
    else if (field.number === 7) metadata = field.bytes;
  }
  return { schema, descriptor, endpoints, totalRecords, totalBytes, ordered, metadata };
}

/** `PollInfo { FlightInfo info = 1; FlightDescriptor flight_descriptor = 2; optional double progress = 3; Timestamp expiration_time = 4 }` */
export function encodePollInfo(poll: PollInfo): Uint8Array {
  return concatBytes([
    messageField(1, [encodeFlightInfo(poll.info)]),
    ...optionalDescriptor(2, poll.descriptor),
    ...(poll.progress === undefined ? [] : [encodeProgress(poll.progress)]),
    ...(poll.expiration === undefined ? [] : [messageField(4, [encodeTimestamp(poll.expiration)])]),
  ]);
}

export function decodePollInfo(message: Uint8Array): PollInfo {
  let info: Uint8Array = empty;
  let descriptor: FlightDescriptor | undefined;
  let progress: number | undefined;
  let expiration: bigint | undefined;
  for (const field of readFields(message)) {
    if (field.number === 1) info = field.bytes;
    else if (field.number === 2) descriptor = decodeDescriptor(field.bytes);
    else if (field.number === 3) progress = decodeProgress(field.bytes);
    else if (field.number === 4) expiration = decodeTimestamp(field.bytes);
  }
  return { info: decodeFlightInfo(info), descriptor, progress, expiration };
}

const cancelStatuses = ['unspecified', 'cancelled', 'cancelling', 'notCancellable'] as const;

export type CancelStatus = (typeof cancelStatuses)[number];

/** Body of the standard action `CancelFlightInfo`: `CancelFlightInfoRequest { FlightInfo info = 1 }`. */
export function encodeCancelRequest(info: FlightInfo): Uint8Array {
  return messageField(1, [encodeFlightInfo(info)]);
}

export function decodeCancelRequest(message: Uint8Array): FlightInfo {
  return decodeFlightInfo(decodeSingleBytes(message));
}

/** Answer of the standard action `CancelFlightInfo`: `CancelFlightInfoResult { CancelStatus status = 1 }`. */
export function encodeCancelResult(status: CancelStatus): Uint8Array {
  return varintField(1, cancelStatuses.indexOf(status));
}

export function decodeCancelResult(message: Uint8Array): CancelStatus {
  let status: CancelStatus = 'unspecified';
  for (const field of readFields(message)) {
    if (field.number === 1) status = cancelStatuses[Number(field.varint)] ?? 'unspecified';
  }
  return status;
}

/** `google.protobuf.Timestamp { int64 seconds = 1; int32 nanos = 2 }`, nanos counting forward from the second before 1970 too. */
function encodeTimestamp(epochUs: bigint): Uint8Array {
  const micros = ((epochUs % 1_000_000n) + 1_000_000n) % 1_000_000n;
  return concatBytes([varintField(1, (epochUs - micros) / 1_000_000n), varintField(2, micros * 1000n)]);
}

function decodeTimestamp(message: Uint8Array): bigint {
  let seconds = 0n;
  let nanos = 0n;
  for (const field of readFields(message)) {
    if (field.number === 1) seconds = signed(field);
    else if (field.number === 2) nanos = signed(field);
  }
  return seconds * 1_000_000n + nanos / 1000n;
}

function encodeProgress(progress: number): Uint8Array {
  const field = Buffer.alloc(9);
  field[0] = (3 << 3) | 1;
  field.writeDoubleLE(progress, 1);
  return field;
}

function decodeProgress(bytes: Uint8Array): number {
  if (bytes.length !== 8) throw new FeatureStoreError('INVALID_ARGUMENT', 'malformed Flight message: progress is not a double');
  return new DataView(bytes.buffer, bytes.byteOffset, 8).getFloat64(0, true);
}

function decodeLocation(message: Uint8Array): string {
  let uri = '';
  for (const field of readFields(message)) if (field.number === 1) uri = readText(field);
  return uri;
}

function optionalDescriptor(number: number, descriptor: FlightDescriptor | undefined): Uint8Array[] {
  return descriptor === undefined ? [] : [messageField(number, [encodeDescriptor(descriptor)])];
}

function signed(field: WireField): bigint {
  return BigInt.asIntN(64, field.varint);
}
