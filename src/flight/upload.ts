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

/** Reads and discards what the client still sends, up to its half-close, or until nothing has come for `quietMs`; default for ever. */
export async function drainCall(call: OpenCall, quietMs?: number): Promise<void> {
  let quiet: NodeJS.Timeout | undefined;
  const silence = new Promise<undefined>((resolve) => {
    if (quietMs !== undefined) quiet = setTimeout(() => resolve(undefined), quietMs);
  });
  try {
    while ((await Promise.race([call.receive(), silence])) !== undefined) quiet?.refresh();
  } finally {
    clearTimeout(quiet);
  }
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
