/** Listens for HTTP, with TLS where the config has it, and drains when it stops. */
import { createServer, type Server, type ServerOptions } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { FeatureStoreError } from '../errors.ts';
import { createApp } from './app.ts';
import type { HttpParts } from './parts.ts';

export interface HttpServerOptions {
  readonly host: string;
  /** 0 for any free port. */
  readonly port: number;
  readonly tls?: HttpTls;
}

export interface HttpTls {
  /** PEM. */
  readonly certificate: string | Uint8Array;
  readonly key: string | Uint8Array;
  /** Where present, clients must show a certificate that it signed. */
  readonly clientAuthority?: string | Uint8Array;
}

export interface HttpServer {
  readonly port: number;
  /** `http://host:port` or `https://…`. */
  readonly url: string;
  /** Takes no new connections, lets running requests end for `graceMs`, then closes every connection. */
  stop(graceMs: number): Promise<void>;
}

const headersTimeoutMs = 20_000;
/** Longer than what clients and balancers keep idle connections for, so that the end of one is theirs. */
const keepAliveTimeoutMs = 75_000;

/** FAILED_PRECONDITION when the address cannot be had, INVALID_ARGUMENT when the certificate or key is no good. */
export async function startHttpServer(parts: HttpParts, options: HttpServerOptions): Promise<HttpServer> {
  let stopping = false;
  const server = makeServer(options.tls);
  server.on(
    'request',
    createApp(parts, () => stopping),
  );
  const port = await listen(server, options);
  const host = options.host.includes(':') ? `[${options.host}]` : options.host;
  return {
    port,
    url: `${options.tls === undefined ? 'http' : 'https'}://${host}:${port}`,
    async stop(graceMs) {
      stopping = true;
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeIdleConnections();
      const timer = setTimeout(() => server.closeAllConnections(), graceMs);
      await closed;
      clearTimeout(timer);
    },
  };
}

function makeServer(tls: HttpTls | undefined): Server {
  const limits: ServerOptions = { keepAliveTimeout: keepAliveTimeoutMs, headersTimeout: headersTimeoutMs, noDelay: true };
  if (tls === undefined) return createServer(limits);
  const asBuffer = (pem: string | Uint8Array) => (typeof pem === 'string' ? pem : Buffer.from(pem));
  const authority = tls.clientAuthority === undefined ? {} : { ca: asBuffer(tls.clientAuthority), requestCert: true };
  try {
    return createTlsServer({ ...limits, cert: asBuffer(tls.certificate), key: asBuffer(tls.key), ...authority });
  } catch (cause) {
    throw new FeatureStoreError('INVALID_ARGUMENT', `the TLS certificate or key of http cannot be used: ${cause}`, { cause });
  }
}

function listen(server: Server, { host, port }: HttpServerOptions): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause) =>
      reject(new FeatureStoreError('FAILED_PRECONDITION', `cannot listen on ${host}:${port}: ${cause.message}`, { cause })),
    );
    server.listen(port, host, () => resolve((server.address() as AddressInfo).port));
  });
}
