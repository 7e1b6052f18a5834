/** The config of a repository: one schema for file and environment, with every default, parsed once into frozen values. */
import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { z } from 'zod';
import { alertsSchema } from './config/alerts.ts';
import { auditSchema } from './config/audit.ts';
import { materializeSchema } from './config/materialize.ts';
import { count, directory, host, httpSchema, limitsSchema, port, size, tlsSchema } from './config/sections.ts';
import { healthSchema, loggingSchema, validateSchema } from './config/validate.ts';
import { didYouMean, FeatureStoreError } from './errors.ts';

const lmdbSchema = z.strictObject({ kind: z.literal('lmdb') });

const address = z.string().regex(/^(\[[0-9a-f:.]+\]|[^\s:/@[\]]+)(:\d{1,5})?$/i, 'is an address such as "10.0.0.1:6379"');
const milliseconds = z.int().min(1).max(2_147_483_647);
const file = z.string().min(1);

const redisSchema = z
  .strictObject({
    kind: z.literal('redis'),
    /** One server: `redis://[USER:PASSWORD@]HOST:PORT[/DATABASE]`, `rediss://…` with TLS, `unix:///PATH`. */
    url: z
      .string()
      .refine(isRedisUrl, 'is a URL such as redis://HOST:6379/0, rediss://HOST:6379 or unix:///run/redis.sock')
      .optional(),
    /** Some nodes of a Cluster, from which the others are found. */
    cluster: z.array(address).min(1, 'names at least one node').optional(),
    /** Sentinels, which know the master. */
    sentinel: z
      .strictObject({
        master: z.string().min(1),
        nodes: z.array(address).min(1, 'names at least one Sentinel'),
        username: z.string().optional(),
        password: z.string().optional(),
      })
      .optional(),
    /** User and password where `url` does not hold them. */
    username: z.string().optional(),
    password: z.string().optional(),
    /** Number of the database where `url` does not hold it; a Cluster has only 0. */
    database: z.int().min(0).optional(),
    /** TLS (implied by `rediss://`), with files where the system's authorities do not do. */
    tls: z
      .strictObject({ ca: file.optional(), cert: file.optional(), key: file.optional(), servername: z.string().optional() })
      .optional(),
    /** Milliseconds to open a connection. */
    connectTimeoutMs: milliseconds.default(2000),
    /** Milliseconds until a command that has no answer fails. */
    commandTimeoutMs: milliseconds.default(1000),
  })
  .refine(({ url, cluster, sentinel }) => [url, cluster, sentinel].filter((way) => way !== undefined).length === 1, {
    message: 'names its server in exactly one of "url", "cluster" and "sentinel"',
  })
  .refine(({ cluster, database }) => cluster === undefined || (database ?? 0) === 0, {
    path: ['database'],
    message: 'is 0 in a Cluster, which has no other',
  });

/** Where Redis is and how it is spoken to. */
export type RedisConfig = z.output<typeof redisSchema>;

const duckdbSchema = z.strictObject({
  kind: z.literal('duckdb'),
  /** Threads that the whole process gives to DuckDB; default: the machine's cores. */
  threads: count.default(() => availableParallelism()),
  /** Memory that the whole process gives to DuckDB, in its notation. */
  memory: size.default('768MB'),
  /** Most that queries may spill to disk, under `state`. */
  spill: size.default('100GB'),
  /** Memory for sorted sources that requests look into, beside DuckDB's own; what does not fit is read again. */
  cache: size.default('1GB'),
});

const configSchema = z.strictObject({
  /** The namespace of everything stored. */
  project: z
    .string()
    .regex(/^[a-z][a-z0-9_]*$/, 'is lower case letters, digits and "_", beginning with a letter')
    .max(64),
  /** Directory of the embedded state. */
  state: directory.default('.featherflight'),
  onlineStore: z.discriminatedUnion('kind', [lmdbSchema, redisSchema]).default({ kind: 'lmdb' }),
  offlineEngine: duckdbSchema.prefault({ kind: 'duckdb' }),
  /** Materialization by the server itself; absent: only when it is asked. */
  materialize: materializeSchema.optional(),
  /** What is served of some keys, kept to be compared with history; absent: nothing. */
  logging: loggingSchema.optional(),
  /** What a server checks of itself, by schedule; absent: only what it is asked. */
  validate: validateSchema.optional(),
  /** Alarms of single features; only where `logging` is. */
  health: healthSchema.prefault({}),
  /** What is told to somebody, and where; absent: nothing. */
  alerts: alertsSchema.optional(),
  /** What is kept of who changed what. */
  audit: auditSchema.prefault({}),
  http: httpSchema.prefault({}),
  flight: z
    .strictObject({ host: host.default('127.0.0.1'), port: port.default(8815), limits: limitsSchema.prefault({}) })
    .prefault({}),
  /** Files of TLS, for HTTP and Flight alike; absent: plain connections. */
  tls: tlsSchema.optional(),
  /** Listen beyond this machine without any token: everybody who reaches it may then do everything. */
  insecure: z.boolean().default(false),
  /** Directory of uploads; default: `storage` under `state`. */
  storage: directory.optional(),
  /** Directories and files whose paths a client may name; nothing else on the server is read for it. */
  readable: z.array(directory).default([]),
  /** Signs tickets; generated and kept in the state when absent. */
  secret: z.string().min(16, 'has at least 16 characters').optional(),
});

/** What a config file may say. */
export type ConfigInput = z.input<typeof configSchema>;

/** What a config says with defaults and environment filled in; all paths absolute. */
export interface Config extends z.output<typeof configSchema> {
  /** The repository's directory. */
  readonly root: string;
  readonly storage: string;
}

/** Environment variables that stand above the config file. */
export const environmentOverrides: Readonly<Record<string, { readonly path: readonly string[]; readonly number?: true }>> = {
  FEATHERFLIGHT_PROJECT: { path: ['project'] },
  FEATHERFLIGHT_STATE: { path: ['state'] },
  FEATHERFLIGHT_STORAGE: { path: ['storage'] },
  FEATHERFLIGHT_SECRET: { path: ['secret'] },
  FEATHERFLIGHT_REDIS_URL: { path: ['onlineStore', 'url'] },
  FEATHERFLIGHT_FLIGHT_HOST: { path: ['flight', 'host'] },
  FEATHERFLIGHT_FLIGHT_PORT: { path: ['flight', 'port'], number: true },
  FEATHERFLIGHT_HTTP_HOST: { path: ['http', 'host'] },
  FEATHERFLIGHT_HTTP_PORT: { path: ['http', 'port'], number: true },
  FEATHERFLIGHT_DUCKDB_THREADS: { path: ['offlineEngine', 'threads'], number: true },
  FEATHERFLIGHT_DUCKDB_MEMORY: { path: ['offlineEngine', 'memory'] },
  FEATHERFLIGHT_DUCKDB_SPILL: { path: ['offlineEngine', 'spill'] },
};

/** The default export of `featherflight.config.ts`; checked when the repository is loaded. */
export function defineConfig(config: ConfigInput): ConfigInput {
  return Object.freeze({ ...config });
}

/** The embedded online store, kept under `state`: the default. */
export function lmdb(): z.input<typeof lmdbSchema> {
  return { kind: 'lmdb' };
}

/** An online store in Redis or Valkey: one server, Sentinel or Cluster. */
export function redis(options: Omit<z.input<typeof redisSchema>, 'kind'> = {}): z.input<typeof redisSchema> {
  return { ...options, kind: 'redis' };
}

/** The embedded offline engine, with bounds for the whole process. */
export function duckdb(options: Omit<z.input<typeof duckdbSchema>, 'kind'> = {}): z.input<typeof duckdbSchema> {
  return { ...options, kind: 'duckdb' };
}

/**
 * Parses what the config file exports for the repository at `root`, environment variables above it; INVALID_ARGUMENT lists everything
 * wrong at once, an unknown option with the nearest valid one.
 */
export function parseConfig(
  input: unknown,
  root: string,
  environment: Readonly<Record<string, string | undefined>> = {},
): Config {
  const parsed = configSchema.safeParse(override(input, environment));
  if (!parsed.success) {
    const problems = parsed.error.issues.flatMap((issue) => describeIssue(issue));
    throw new FeatureStoreError('INVALID_ARGUMENT', `the config is refused:\n${problems.map((text) => `  ${text}`).join('\n')}`, {
      details: { problems },
    });
  }
  const config = parsed.data;
  const state = resolve(root, config.state);
  const storage = config.storage === undefined ? resolve(state, 'storage') : resolve(root, config.storage);
  return freezeDeeply({
    ...config,
    root: resolve(root),
    state,
    storage,
    onlineStore: resolveFiles(config.onlineStore, root),
    readable: config.readable.map((path) => resolve(root, path)),
    tls: config.tls && resolveTls(config.tls, root),
  });
}

function resolveTls({ cert, key, clientCa }: z.output<typeof tlsSchema>, root: string): z.output<typeof tlsSchema> {
  return { cert: resolve(root, cert), key: resolve(root, key), ...(clientCa && { clientCa: resolve(root, clientCa) }) };
}

function override(input: unknown, environment: Readonly<Record<string, string | undefined>>): unknown {
  if (!isRecord(input)) return input;
  let result = input;
  for (const [variable, { path, number }] of Object.entries(environmentOverrides)) {
    const text = environment[variable];
    if (text === undefined || text === '') continue;
    result = replaceAt(result, path, number ? Number(text) : text);
  }
  return result;
}

function replaceAt(record: Record<string, unknown>, path: readonly string[], value: unknown): Record<string, unknown> {
  const [head = '', ...rest] = path;
  if (rest.length === 0) return { ...record, [head]: value };
  const inner = innerRecord(record, head);
  return isRecord(inner) ? { ...record, [head]: replaceAt(inner, rest, value) } : record;
}

/** What a variable is written into; an embedded online store gives way to the Redis that a variable names. */
function innerRecord(record: Record<string, unknown>, head: string): unknown {
  const inner = record[head];
  if (head === 'onlineStore') return isRecord(inner) && inner.kind === 'redis' ? inner : { kind: 'redis' };
  return inner ?? (head === 'offlineEngine' ? { kind: 'duckdb' } : {});
}

function isRedisUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, hostname, pathname, search, hash } = new URL(text);
  if (search !== '' || hash !== '') return false;
  if (protocol === 'unix:') return hostname === '' && pathname.length > 1;
  return /^rediss?:$/.test(protocol) && hostname !== '' && /^\/?\d*$/.test(pathname);
}

function resolveFiles(store: z.output<typeof configSchema>['onlineStore'], root: string): typeof store {
  if (store.kind !== 'redis' || store.tls === undefined) return store;
  const files = Object.entries(store.tls).map(([name, value]) => [name, name === 'servername' ? value : resolve(root, value)]);
  return { ...store, tls: Object.fromEntries(files) };
}

type Issue = z.core.$ZodIssue;

function describeIssue(issue: Issue): readonly string[] {
  const where = issue.path.join('.');
  if (issue.code === 'unrecognized_keys') {
    const known = optionNamesAt(issue.path);
    return issue.keys.map((key) => `"${[...issue.path, key].join('.')}" is no option${didYouMean(key, known)}`);
  }
  if (where === '') return ['featherflight.config.ts exports no config; write: export default defineConfig({ project: "…" })'];
  const variable = Object.entries(environmentOverrides).find(([, { path }]) => path.join('.') === where)?.[0];
  return [`"${where}" ${issueText(issue)}${variable === undefined ? '' : ` (or ${variable})`}`];
}

function issueText(issue: Issue): string {
  if (issue.code === 'custom' || issue.code === 'invalid_format' || issue.code === 'too_small') return issue.message;
  return issue.message.replace(/^Invalid input: /, 'is not as it should be: ');
}

function optionNamesAt(path: readonly PropertyKey[]): readonly string[] {
  const shapes: Readonly<Record<string, object>> = {
    '': configSchema.shape,
    onlineStore: { ...lmdbSchema.shape, ...redisSchema.shape },
    'onlineStore.sentinel': { master: 0, nodes: 0, username: 0, password: 0 },
    'onlineStore.tls': { ca: 0, cert: 0, key: 0, servername: 0 },
    offlineEngine: duckdbSchema.shape,
    materialize: materializeSchema.shape,
    logging: loggingSchema.shape,
    validate: validateSchema.shape,
    health: healthSchema.shape,
    alerts: alertsSchema.shape,
    audit: auditSchema.shape,
    http: httpSchema.shape,
    tls: tlsSchema.shape,
    flight: { host: 0, port: 0, limits: 0 },
    'flight.limits': limitsSchema.shape,
  };
  return Object.keys(shapes[path.join('.')] ?? {}).filter((name) => name !== 'kind');
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function freezeDeeply<T extends object>(value: T): T {
  for (const item of Object.values(value)) if (typeof item === 'object' && item !== null) freezeDeeply(item);
  return Object.freeze(value);
}
