/** The client's side of DoPut and DoExchange as a FlightUpload. */
import type { OpenCall } from './call.ts';
import { decodeFlightData } from './flight-data.ts';
import { decodeDescriptor } from './messages.ts';
import type { FlightUpload, UploadMessage } from './protocol.ts';

/**
 * Reads the first frame for its descriptor (stock clients send it alone, ahead of the schema). Reading rejects with INVALID_ARGUMENT
 * for bytes that are no FlightData.
 */
export async function openUpload(call: OpenCall): Promise<FlightUpload> {
  const bytes = await call.receive();
  const first = bytes === undefined ? undefined : decodeFlightData(bytes);
  return {
    descriptor: first?.descriptor === undefined ? undefined : decodeDescriptor(first.descriptor),
    messages: readMessages(call, first),
    drain: () => drainCall(call),
  };
}

/** Reads and discards what the client still sends, up to its half-close. */
export async function drainCall(call: OpenCall): Promise<void> {
  while ((await call.receive()) !== undefined);
}

async function* readMessages(call: OpenCall, first: UploadMessage | undefined): AsyncGenerator<UploadMessage> {
  for (let frame = first; frame !== undefined; frame = await receiveFrame(call)) {
    const { header, metadata, body } = frame;
    if (header.length > 0 || metadata !== undefined || body.length > 0) yield { header, metadata, body };
  }
}

async function receiveFrame(call: OpenCall): Promise<UploadMessage | undefined> {
  const bytes = await call.receive();
  return bytes === undefined ? undefined : decodeFlightData(bytes);
}
