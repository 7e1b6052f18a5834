/** Where a stream of Redis is, in the words of the online store's config. */
import { resolve } from 'node:path';
import type { RedisConfig } from '../../config.ts';
import { FeatureStoreError } from '../../errors.ts';
import type { RedisStreamDocument } from '../../registry/document.ts';
import { type Environment, readSecret } from './secret.ts';

/** Longer than the online store's: nobody waits for an answer. */
const timeoutMs = 5000;

/** FAILED_PRECONDITION where the environment lacks the URL, or has something else. */
export function redisAddress(
  what: string,
  { url: given, tls }: Pick<RedisStreamDocument, 'url' | 'tls'>,
  root: string,
  environment: Environment,
): RedisConfig {
  const url = readSecret(`${what}: url`, given, environment);
  if (!URL.canParse(url) || !/^rediss?:\/\/./.test(url)) {
    const where = typeof given === 'string' ? 'its url' : `the environment variable ${given.env}`;
    throw new FeatureStoreError('FAILED_PRECONDITION', `${what}: ${where} is not such as "redis://HOST:6379/0"`);
  }
  const file = (path: string | undefined) => (path === undefined ? undefined : resolve(root, path));
  const files = tls && { ca: file(tls.caFile), cert: file(tls.certFile), key: file(tls.keyFile) };
  return { kind: 'redis', url, connectTimeoutMs: timeoutMs, commandTimeoutMs: timeoutMs, ...(files && { tls: files }) };
}

/** The same server as one of a Cluster's. */
export function asCluster(config: RedisConfig): RedisConfig {
  const { protocol, hostname, port, username, password } = new URL(config.url as string);
  return {
    kind: 'redis',
    cluster: [`${hostname}:${port === '' ? 6379 : port}`],
    connectTimeoutMs: config.connectTimeoutMs,
    commandTimeoutMs: config.commandTimeoutMs,
    ...(username === '' ? {} : { username: decodeURIComponent(username) }),
    ...(password === '' ? {} : { password: decodeURIComponent(password) }),
    ...(protocol === 'rediss:' || config.tls !== undefined ? { tls: config.tls ?? {} } : {}),
  };
}
