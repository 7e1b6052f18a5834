/** The channel to one server: address, credentials, and the settings under which large messages travel. */
import {
  Channel,
  ChannelCredentials,
  type ChannelInterface,
  type ChannelOptions,
  logVerbosity,
  Metadata,
  setLogVerbosity,
} from '@grpc/grpc-js';
import { FeatureStoreError } from '../errors.ts';
import { parseServerAddress, type ServerAddress } from './server-address.ts';
import { traceHeaders } from './trace-headers.ts';

type Pem = string | Uint8Array;

export interface ClientTls {
  /** Who may have signed the server's certificate; default what Node trusts. */
  readonly rootCertificates?: Pem;
  /** The client's own certificate, with its key. */
  readonly certificate?: Pem;
  readonly key?: Pem;
  /** The name that the server's certificate must have, where it is not the host of the address. */
  readonly serverName?: string;
}

export interface ConnectionOptions {
  /** `grpc://host:port` or `grpc+tls://host:port`. */
  readonly url: string;
  /** Sent as `authorization: Bearer …` with every call. */
  readonly token?: string;
  /** Only for `grpc+tls`. */
  readonly tls?: ClientTls;
  /** How long a call waits for the server to take a connection; default 10 s. */
  readonly connectTimeoutMs?: number;
}

export interface Connection {
  readonly address: string;
  readonly channel: ChannelInterface;
  readonly connectTimeoutMs: number;
  /** Headers of a new call. */
  headers(): Metadata;
}

/** What the server may send ahead of what is read: Node's 64 KiB hold the network back. */
const windowBytes = 4 * 1024 * 1024;
/** A batch can be one message, which gRPC lets be this long. */
const maxMessageBytes = 0x7fffffff;
const keepaliveMs = 30_000;
const keepaliveTimeoutMs = 20_000;

/** Prepares a connection, which the first call makes. INVALID_ARGUMENT for an address, a token or a certificate that cannot be used. */
export function openConnection(options: ConnectionOptions): Connection {
  if (process.env.GRPC_VERBOSITY === undefined) setLogVerbosity(logVerbosity.NONE); // it would write to stderr what is thrown here
  const server = parseServerAddress(options.url);
  const { token } = options;
  if (token !== undefined && !/^[\x21-\x7e]+$/.test(token)) {
    throw new FeatureStoreError('INVALID_ARGUMENT', 'the token has characters that no token has; copy it again, without spaces');
  }
  return {
    address: server.address,
    channel: new Channel(`dns:${server.authority}`, createCredentials(server, options.tls), channelOptions(server, options)),
    connectTimeoutMs: options.connectTimeoutMs ?? 10_000,
    headers() {
      const headers = new Metadata();
      for (const [name, value] of Object.entries(traceHeaders())) headers.set(name, value);
      if (token !== undefined) headers.set('authorization', `Bearer ${token}`);
      return headers;
    },
  };
}

function channelOptions({ loopback }: ServerAddress, { tls }: ConnectionOptions): ChannelOptions {
  return {
    'grpc.max_receive_message_length': maxMessageBytes,
    'grpc.max_send_message_length': maxMessageBytes,
    'grpc-node.flow_control_window': windowBytes,
    'grpc.keepalive_time_ms': keepaliveMs,
    'grpc.keepalive_timeout_ms': keepaliveTimeoutMs,
    ...(loopback ? { 'grpc.enable_http_proxy': 0 } : {}),
    ...(tls?.serverName === undefined
      ? {}
      : { 'grpc.ssl_target_name_override': tls.serverName, 'grpc.default_authority': tls.serverName }),
  };
}

function createCredentials({ address, secure }: ServerAddress, tls: ClientTls | undefined): ChannelCredentials {
  if (!secure) {
    if (tls === undefined) return ChannelCredentials.createInsecure();
    throw new FeatureStoreError(
      'INVALID_ARGUMENT',
      `TLS options are for grpc+tls addresses: ${address} is reached without TLS; write ${address.replace('grpc:', 'grpc+tls:')}`,
    );
  }
  const { rootCertificates, certificate, key } = tls ?? {};
  if ((certificate === undefined) !== (key === undefined)) {
    throw new FeatureStoreError('INVALID_ARGUMENT', "the client's certificate and its key belong together: give both or neither");
  }
  try {
    return ChannelCredentials.createSsl(toBuffer(rootCertificates), toBuffer(key), toBuffer(certificate));
  } catch (cause) {
    throw new FeatureStoreError('INVALID_ARGUMENT', `the TLS certificate or key for ${address} cannot be used: ${cause}`, {
      cause,
    });
  }
}

function toBuffer(pem: Pem | undefined): Buffer | null {
  return pem === undefined ? null : Buffer.from(pem);
}
