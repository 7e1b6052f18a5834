/** The ten methods of the Flight service: which of the handler's functions answers each, and in what messages. */
import { FeatureStoreError } from '../errors.ts';
import type { OpenCall } from './call.ts';
import { encodeFlightData } from './flight-data.ts';
import {
  decodeAction,
  decodeDescriptor,
  decodeHandshake,
  decodeSingleBytes,
  encodeActionType,
  encodeFlightInfo,
  encodeHandshake,
  encodePollInfo,
  encodeSingleBytes,
} from './messages.ts';
import type { FlightHandler, FlightMessage } from './protocol.ts';
import { openUpload } from './upload.ts';

export interface FlightMethod {
  /** The client sends a stream: an error must wait for its end, since stock clients do not expect one while they write. */
  readonly uploads: boolean;
  /** The client may send no more before it has read: one that is quiet for a while is told of the error before the end. */
  readonly inTurn?: true;
  answer(call: OpenCall, handler: FlightHandler): Promise<void>;
}

/** By the method's name in `arrow.flight.protocol.FlightService`. */
export const flightMethods: ReadonlyMap<string, FlightMethod> = new Map(
  Object.entries<FlightMethod>({
    Handshake: {
      uploads: true,
      inTurn: true,
      async answer(call, handler) {
        for (let request = await call.receive(); request !== undefined; request = await call.receive()) {
          await call.send([encodeHandshake(await handler.handshake(decodeHandshake(request), call.context))]);
        }
      },
    },
    ListFlights: {
      uploads: false,
      async answer(call, handler) {
        const criteria = decodeSingleBytes(await receiveRequest(call));
        for await (const info of handler.listFlights(criteria, call.context)) await call.send([encodeFlightInfo(info)]);
      },
    },
    GetFlightInfo: {
      uploads: false,
      async answer(call, handler) {
        const descriptor = decodeDescriptor(await receiveRequest(call));
        await call.send([encodeFlightInfo(await handler.getFlightInfo(descriptor, call.context))]);
      },
    },
    PollFlightInfo: {
      uploads: false,
      async answer(call, handler) {
        const descriptor = decodeDescriptor(await receiveRequest(call));
        await call.send([encodePollInfo(await handler.pollFlightInfo(descriptor, call.context))]);
      },
    },
    GetSchema: {
      uploads: false,
      async answer(call, handler) {
        const descriptor = decodeDescriptor(await receiveRequest(call));
        await call.send([encodeSingleBytes(await handler.getSchema(descriptor, call.context))]);
      },
    },
    DoGet: {
      uploads: false,
      async answer(call, handler) {
        const ticket = decodeSingleBytes(await receiveRequest(call));
        await sendStream(call, handler.doGet(ticket, call.context));
      },
    },
    DoPut: {
      uploads: true,
      async answer(call, handler) {
        const upload = await openUpload(call);
        for await (const result of handler.doPut(upload, call.context)) await call.send([encodeSingleBytes(result)]);
      },
    },
    DoExchange: {
      uploads: true,
      inTurn: true,
      async answer(call, handler) {
        const upload = await openUpload(call);
        await sendStream(call, handler.doExchange(upload, call.context));
      },
    },
    DoAction: {
      uploads: false,
      async answer(call, handler) {
        const { type, body } = decodeAction(await receiveRequest(call));
        for await (const result of handler.doAction(type, body, call.context)) await call.send([encodeSingleBytes(result)]);
      },
    },
    ListActions: {
      uploads: false,
      async answer(call, handler) {
        await receiveRequest(call);
        for (const action of handler.listActions(call.context)) await call.send([encodeActionType(action)]);
      },
    },
  }),
);

async function receiveRequest(call: OpenCall): Promise<Uint8Array> {
  const request = await call.receive();
  if (request === undefined) throw new FeatureStoreError('INVALID_ARGUMENT', 'the call ended without a request message');
  return request;
}

async function sendStream(call: OpenCall, messages: AsyncIterable<FlightMessage>): Promise<void> {
  for await (const message of messages) await call.send(encodeFlightData(message));
  if (call.sentMessages === 0) throw new FeatureStoreError('INTERNAL', 'the answer ended without a schema');
}
