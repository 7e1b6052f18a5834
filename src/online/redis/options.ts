/** What `redis({…})` says as the options of ioredis, and as a name for people. */
import { readFileSync } from 'node:fs';
import type { ConnectionOptions } from 'node:tls';
import type { ClusterOptions, RedisOptions } from 'ioredis';
import type { RedisConfig } from '../../config.ts';
import { FeatureStoreError } from '../../errors.ts';

export interface RedisAddress {
  readonly host: string;
  readonly port: number;
}

/** `Redis at HOST:PORT`; never a user or a password. */
export function redisName({ url, cluster, sentinel }: RedisConfig): string {
  if (cluster !== undefined)
    return `Redis Cluster at ${cluster.map((text) => formatAddress(parseAddress(text, 6379))).join(', ')}`;
  if (sentinel !== undefined) {
    const nodes = sentinel.nodes.map((text) => formatAddress(parseAddress(text, 26_379)));
    return `Redis master "${sentinel.master}" of Sentinel at ${nodes.join(', ')}`;
  }
  const { protocol, host, port, pathname } = new URL(url ?? '');
  if (protocol === 'unix:') return `Redis at ${decodeURIComponent(pathname)}`;
  return `Redis at ${port === '' ? `${host}:6379` : host}`;
}

/** Options of one connection to one server, a Cluster's nodes too: nothing is queued, sent again or waited for behind our back. */
export function connectionOptions(config: RedisConfig, project: string): RedisOptions {
  const { username, password, database, tls } = credentials(config);
  return {
    username,
    password,
    db: database,
    tls,
    protocol: 2,
    connectTimeout: config.connectTimeoutMs,
    socketTimeout: config.commandTimeoutMs,
    disconnectTimeout: 0,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    enableReadyCheck: false,
    // Also what a frozen server that still accepts connections is found out by.
    connectionName: `featherflight:${project}`,
    disableClientInfo: true,
  };
}

/** Options of the client of one server or of Sentinel's master. */
export function singleOptions(config: RedisConfig, project: string): RedisOptions {
  const common: RedisOptions = {
    ...connectionOptions(config, project),
    enableOfflineQueue: false,
    retryStrategy: reconnectDelayMs,
    reconnectOnError: leaveReplica(),
  };
  if (config.sentinel !== undefined) {
    const { master, nodes, username, password } = config.sentinel;
    return {
      ...common,
      name: master,
      sentinels: nodes.map((text) => parseAddress(text, 26_379)),
      sentinelUsername: username,
      sentinelPassword: password,
      sentinelCommandTimeout: config.commandTimeoutMs,
      sentinelRetryStrategy: reconnectDelayMs,
      enableTLSForSentinelMode: common.tls !== undefined,
      sentinelTLS: common.tls,
      failoverDetector: true,
      enableReadyCheck: true,
    };
  }
  const url = new URL(config.url ?? '');
  if (url.protocol === 'unix:') return { ...common, path: decodeURIComponent(url.pathname) };
  return { ...common, ...parseAddress(url.host, 6379) };
}

export function clusterOptions(config: RedisConfig, project: string): ClusterOptions {
  const redisOptions = connectionOptions(config, project);
  return {
    redisOptions,
    clusterRetryStrategy: reconnectDelayMs,
    slotsRefreshTimeout: config.commandTimeoutMs,
    // What was lost with its connection is the caller's to repeat.
    retryDelayOnFailover: 0,
    // A certificate is for a name, not for the address behind it.
    ...(redisOptions.tls === undefined ? {} : { dnsLookup: (host, callback) => callback(null, host) }),
  };
}

/** `host`, `host:port`, `[v6]:port`. */
export function parseAddress(text: string, defaultPort: number): RedisAddress {
  const [, host = '', port] = /^(.*?)(?::(\d+))?$/.exec(text) ?? [];
  return { host: host.replace(/^\[|\]$/g, ''), port: port === undefined ? defaultPort : Number(port) };
}

function formatAddress({ host, port }: RedisAddress): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}

function reconnectDelayMs(attempts: number): number {
  return Math.min(attempts * 50, 1000);
}

const replicaPauseMs = 5000;

/** A master that became a replica behind the same name is left for the new master, but readers are not cut off all the time. */
function leaveReplica(): (error: Error) => boolean {
  let left = Number.NEGATIVE_INFINITY;
  return (error) => {
    if (!error.message.startsWith('READONLY') || performance.now() - left < replicaPauseMs) return false;
    left = performance.now();
    return true;
  };
}

interface Credentials {
  readonly username: string | undefined;
  readonly password: string | undefined;
  readonly database: number | undefined;
  readonly tls: ConnectionOptions | undefined;
}

function credentials({ url, username, password, database, tls }: RedisConfig): Credentials {
  const parsed = url === undefined ? undefined : new URL(url);
  const inUrl = (text: string | undefined) => (text === undefined || text === '' ? undefined : decodeURIComponent(text));
  const number = parsed?.protocol === 'unix:' ? '' : (parsed?.pathname.slice(1) ?? '');
  return {
    username: username ?? inUrl(parsed?.username),
    password: password ?? inUrl(parsed?.password),
    database: database ?? (number === '' ? undefined : Number(number)),
    tls: tls === undefined && parsed?.protocol !== 'rediss:' ? undefined : readTls(tls ?? {}),
  };
}

function readTls({ ca, cert, key, servername }: NonNullable<RedisConfig['tls']>): ConnectionOptions {
  return {
    ...readFile('ca', ca),
    ...readFile('cert', cert),
    ...readFile('key', key),
    ...(servername === undefined ? {} : { servername }),
  };
}

function readFile(name: 'ca' | 'cert' | 'key', path: string | undefined): ConnectionOptions {
  if (path === undefined) return {};
  try {
    return { [name]: readFileSync(path) };
  } catch (error) {
    const message = `${path}, named by redis({ tls: { ${name} } }), cannot be read: ${(error as Error).message}`;
    throw new FeatureStoreError('FAILED_PRECONDITION', message, { details: { path } });
  }
}
