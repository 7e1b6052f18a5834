/** Addresses of servers, as people write them: `grpc://host:port`, `grpc+tls://host:port`. */
import { FeatureStoreError } from '../errors.ts';

export interface ServerAddress {
  /** As messages show it, port included: `grpc://127.0.0.1:8815`. */
  readonly address: string;
  /** `host:port`, an IPv6 host in brackets. */
  readonly authority: string;
  readonly secure: boolean;
  /** The server is on this machine, where no proxy leads to. */
  readonly loopback: boolean;
}

const defaultPort = '8815';
const secureSchemes: ReadonlyMap<string, boolean> = new Map([
  ['grpc:', false],
  ['grpc+tcp:', false],
  ['grpc+tls:', true],
  ['grpcs:', true],
]);

/** Reads an address; the scheme may be left out (`grpc`), the port too (8815). INVALID_ARGUMENT for anything else. */
export function parseServerAddress(text: string): ServerAddress {
  const wrong = () =>
    new FeatureStoreError(
      'INVALID_ARGUMENT',
      `"${text}" is not an address of a server: write grpc://host:port, or grpc+tls://host:port for TLS`,
      { details: { url: text } },
    );
  const withScheme = text.includes('://') ? text : `grpc://${text}`;
  if (!URL.canParse(withScheme)) throw wrong();
  const { protocol, hostname, port, pathname, username, password, search, hash } = new URL(withScheme);
  const secure = secureSchemes.get(protocol);
  const rest = pathname.replace(/^\/$/, '') + username + password + search + hash;
  if (secure === undefined || hostname === '' || port === '0' || rest !== '') throw wrong();
  const authority = `${hostname}:${port || defaultPort}`;
  return {
    address: `${secure ? 'grpc+tls' : 'grpc'}://${authority}`,
    authority,
    secure,
    loopback: ['127.0.0.1', '[::1]', 'localhost'].includes(hostname),
  };
}
