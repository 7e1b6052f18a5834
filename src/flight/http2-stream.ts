/** The HTTP/2 stream beneath a call of grpc-js, for the two things that grpc-js has no option for. */
import type { ServerHttp2Session, ServerHttp2Stream } from 'node:http2';
import { Duplex } from 'node:stream';
import type { ServerInterceptingCallInterface } from '@grpc/grpc-js';

/** How much a client may send ahead of what is read: per stream, and per connection. Node's 64 KiB cost four fifths of the speed. */
const streamWindowBytes = 2 * 1024 * 1024;
const connectionWindowBytes = 16 * 1024 * 1024;

const widened = new WeakSet<ServerHttp2Session>();

/** The stream, or undefined where this version of grpc-js keeps it elsewhere (1.14 has it, in a property that is not public). */
export function findHttp2Stream(call: ServerInterceptingCallInterface): ServerHttp2Stream | undefined {
  const { stream } = call as { stream?: unknown };
  return stream instanceof Duplex && 'respond' in stream ? (stream as ServerHttp2Stream) : undefined;
}

/** Lets the client of a call upload at the speed of the network; once per connection. */
export function widenUploadWindow(call: ServerInterceptingCallInterface): void {
  const session = findHttp2Stream(call)?.session as ServerHttp2Session | undefined;
  if (session === undefined || session.destroyed || widened.has(session)) return;
  widened.add(session);
  session.settings({ initialWindowSize: streamWindowBytes });
  session.setLocalWindowSize(connectionWindowBytes);
}
