/** Serves Arrow Flight over gRPC: answers every call through a FlightHandler, refuses what is malformed, drains when it stops. */
import {
  logVerbosity,
  Server,
  ServerCredentials,
  ServerInterceptingCall,
  type ServerInterceptingCallInterface,
  type StatusObject,
  setLogVerbosity,
  status as statusCodes,
} from '@grpc/grpc-js';
import { FeatureStoreError } from '../errors.ts';
import type { Logger, Tracer } from '../observe.ts';
import { type OpenCall, openCall } from './call.ts';
import { type FlightMethod, flightMethods } from './methods.ts';
import type { FlightHandler } from './protocol.ts';
import { okStatus, statusOfError } from './status.ts';
import { drainCall } from './upload.ts';

export interface FlightServerOptions {
  readonly host: string;
  /** 0 for any free port. */
  readonly port: number;
  readonly tls?: FlightTls;
  readonly logger: Logger;
  /** Where calls are traced, below the spans that their headers name. */
  readonly tracer?: Tracer;
  /** Longest message taken from a client; a frame can be one batch in one message. Default 2 GiB - 1, the most there can be. */
  readonly maxMessageBytes?: number;
  /** Calls at once on one connection; further ones wait in the client. Default 256. */
  readonly maxConcurrentStreams?: number;
  /** A connection that shows no sign of life for this long, and 20 s more after a ping, is dropped. Default 60 s. */
  readonly keepaliveMs?: number;
  /** How long the rest of an upload is read and discarded before its error is sent. Default 60 s. */
  readonly drainTimeoutMs?: number;
  /** A client of DoExchange that sends nothing for this long waits for an answer, and is sent its error at once. Default 1 s. */
  readonly quietMs?: number;
}

export interface FlightTls {
  /** PEM. */
  readonly certificate: string | Uint8Array;
  /** PEM. */
  readonly key: string | Uint8Array;
  /** PEM; where present, clients must show a certificate that it signed. */
  readonly clientAuthority?: string | Uint8Array;
}

export interface FlightServer {
  readonly port: number;
  /**
   * Takes no new calls, lets running ones finish for `graceMs`, then aborts them (UNAVAILABLE) and closes every connection. Resolves
   * when all handlers have returned, at the latest 2 s after the grace.
   */
  stop(graceMs: number): Promise<void>;
}

const serviceName = 'arrow.flight.protocol.FlightService';
const servicePath = `/${serviceName}/`;
/** What is the server's fault, and not its caller's. */
const faults: ReadonlySet<statusCodes> = new Set([
  statusCodes.UNKNOWN,
  statusCodes.DEADLINE_EXCEEDED,
  statusCodes.UNIMPLEMENTED,
  statusCodes.INTERNAL,
  statusCodes.UNAVAILABLE,
  statusCodes.DATA_LOSS,
]);
const keepaliveTimeoutMs = 20_000;
/** After the grace: for aborted handlers to return and their status to go out, and then once more for those that did not. */
const abortTimeoutMs = 1_000;

/** Listens. Throws FAILED_PRECONDITION when the address cannot be had, INVALID_ARGUMENT when the TLS certificate or key is no good. */
export async function startFlightServer(handler: FlightHandler, options: FlightServerOptions): Promise<FlightServer> {
  if (process.env.GRPC_VERBOSITY === undefined) setLogVerbosity(logVerbosity.NONE); // it would write to stderr what is thrown here
  const running = new Map<OpenCall, Promise<void>>();
  let stopping = false;

  const accept = (name: string, method: FlightMethod, call: ServerInterceptingCallInterface): void =>
    openCall(call, (open) => {
      const answered = traceCall(name, open, options.tracer, () => answerCall(name, method, open, handler, options));
      const settled = answered.finally(() => running.delete(open));
      running.set(open, settled);
      if (stopping) open.abort(stoppingError());
    });

  const server = createServer(options, accept);
  const port = await listen(server, options);
  return {
    port,
    async stop(graceMs) {
      stopping = true;
      const closed = new Promise<void>((resolve) => server.tryShutdown(() => resolve()));
      await settledWithin(closed, graceMs);
      for (const call of running.keys()) call.abort(stoppingError());
      await settledWithin(closed, running.size === 0 ? 0 : abortTimeoutMs);
      server.forceShutdown();
      await settledWithin(Promise.all(running.values()), abortTimeoutMs);
      if (running.size > 0) options.logger.warn({ calls: running.size }, 'flight handlers have not returned at shutdown');
    },
  };
}

/** Every call is taken over before grpc-js's own handlers, which buffer 16 messages each way, would see it. */
function createServer(
  options: FlightServerOptions,
  accept: (name: string, method: FlightMethod, call: ServerInterceptingCallInterface) => void,
): Server {
  const server = new Server({
    'grpc.max_receive_message_length': options.maxMessageBytes ?? 0x7fffffff,
    'grpc.max_send_message_length': -1,
    'grpc.max_concurrent_streams': options.maxConcurrentStreams ?? 256,
    'grpc.keepalive_time_ms': options.keepaliveMs ?? 60_000,
    'grpc.keepalive_timeout_ms': keepaliveTimeoutMs,
    interceptors: [
      ({ path }, call) => {
        const name = path.slice(servicePath.length);
        const method = flightMethods.get(name);
        return new ServerInterceptingCall(call, method && { start: () => accept(name, method, call) });
      },
    ],
  });
  const asIs = (bytes: Buffer): Buffer => bytes;
  for (const name of flightMethods.keys()) server.register(servicePath + name, () => undefined, asIs, asIs, 'bidi');
  return server;
}

async function answerCall(
  name: string,
  method: FlightMethod,
  call: OpenCall,
  handler: FlightHandler,
  options: FlightServerOptions,
): Promise<StatusObject> {
  const { signal, peer } = call.context;
  const startedMs = performance.now();
  let thrown: unknown;
  try {
    await method.answer(call, handler);
  } catch (error) {
    thrown = error;
  }
  const quietMs = method.inTurn ? (options.quietMs ?? 1_000) : undefined;
  if (method.uploads) await settledWithin(drainCall(call, quietMs), options.drainTimeoutMs ?? 60_000);
  const status = signal.aborted ? statusOfError(signal.reason) : thrown === undefined ? okStatus : statusOfError(thrown);
  call.finish(status);
  const fields = { method: name, peer, code: status.code, ms: Math.round(performance.now() - startedMs) };
  if (thrown === undefined || thrown instanceof FeatureStoreError) options.logger.debug(fields, 'flight call ended');
  else options.logger.error({ ...fields, err: thrown }, 'flight call failed');
  return status;
}

async function traceCall(
  name: string,
  { context }: OpenCall,
  tracer: Tracer | undefined,
  answer: () => Promise<StatusObject>,
): Promise<void> {
  if (tracer === undefined) {
    await answer();
    return;
  }
  const parent = { traceparent: context.headers.get('traceparent'), tracestate: context.headers.get('tracestate') };
  const attributes = { 'rpc.system': 'grpc', 'rpc.service': serviceName, 'rpc.method': name };
  await tracer.span(`${serviceName}/${name}`, { kind: 'server', parent, attributes }, async (span) => {
    const { code } = await answer();
    span.set({ 'rpc.grpc.status_code': code });
    if (faults.has(code)) span.fail(statusCodes[code] as string);
  });
}

async function listen(server: Server, options: FlightServerOptions): Promise<number> {
  const host = options.host.includes(':') ? `[${options.host}]` : options.host;
  const credentials = createCredentials(options.tls);
  return new Promise((resolve, reject) => {
    server.bindAsync(`${host}:${options.port}`, credentials, (cause, port) => {
      if (cause === null) resolve(port);
      else
        reject(
          new FeatureStoreError('FAILED_PRECONDITION', `cannot listen on ${host}:${options.port}: ${cause.message}`, { cause }),
        );
    });
  });
}

function createCredentials(tls: FlightTls | undefined): ServerCredentials {
  if (tls === undefined) return ServerCredentials.createInsecure();
  const authority = tls.clientAuthority === undefined ? null : Buffer.from(tls.clientAuthority);
  const pair = { private_key: Buffer.from(tls.key), cert_chain: Buffer.from(tls.certificate) };
  try {
    return ServerCredentials.createSsl(authority, [pair], authority !== null);
  } catch (cause) {
    throw new FeatureStoreError('INVALID_ARGUMENT', `the TLS certificate or key of flight cannot be used: ${cause}`, { cause });
  }
}

/** Resolves when the promise has settled, either way, or the time has passed. */
async function settledWithin(promise: Promise<unknown>, timeoutMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, timeoutMs);
  });
  await Promise.race([promise.then(nothing, nothing), timeout]);
  clearTimeout(timer);
}

function nothing(): void {}

function stoppingError(): FeatureStoreError {
  return new FeatureStoreError('UNAVAILABLE', 'the server is shutting down; try again');
}
