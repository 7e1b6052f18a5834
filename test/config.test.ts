import { availableParallelism } from 'node:os';
import { describe, expect, it } from 'vitest';
import { defineConfig, duckdb, lmdb, parseConfig, redis } from '../src/config.ts';

const problemsOf = (input: unknown, environment: Record<string, string> = {}): readonly string[] => {
  try {
    parseConfig(input, '/repository', environment);
  } catch (error) {
    const { code, details } = error as { code: string; details: { problems: string[] } };
    expect(code).toBe('INVALID_ARGUMENT');
    return details.problems;
  }
  return [];
};

describe('parseConfig', () => {
  it('takes a schedule of materialization, and refuses what is none', () => {
    const materialize = { schedule: '*/5 * * * *', views: ['user_profile'] };
    expect(parseConfig({ project: 'p', materialize }, '/repository').materialize).toEqual(materialize);
    for (const schedule of ['often', '* * * *', '5 minutes of every hour now or then']) {
      expect(problemsOf({ project: 'p', materialize: { schedule } })).toEqual([
        expect.stringContaining('"materialize.schedule" is a cron expression in UTC'),
      ]);
    }
    const refused: readonly (readonly [schedule: string, why: string])[] = [
      ['99 * * * *', 'is no cron expression, "99 * * * *": '],
      ['* * * * MOO', 'is no cron expression, "* * * * MOO": '],
      ['0 0 31 2 *', 'is a cron expression that never comes: "0 0 31 2 *"'],
    ];
    for (const [schedule, why] of refused) {
      for (const [name, section] of Object.entries({
        'materialize.schedule': { materialize: { schedule } },
        'validate.parity.schedule': { validate: { parity: { schedule } } },
        'validate.drift.schedule': { validate: { drift: { schedule } } },
      }))
        expect(problemsOf({ project: 'p', ...section })).toEqual([expect.stringContaining(`"${name}" ${why}`)]);
    }
    expect(problemsOf({ project: 'p', materialize: { schedule: '* * * * *', view: ['a'] } })).toEqual([
      expect.stringContaining('did you mean "views"?'),
    ]);
  });

  it('takes a feature log by its share alone, and refuses what is none', () => {
    const logging = (given: unknown) => parseConfig({ project: 'p', logging: given }, '/repo').logging;
    expect(parseConfig({ project: 'p' }, '/repo').logging).toBeUndefined();
    expect(logging({ sample: 0.05 })).toEqual({ sample: 0.05, maxBytes: '1GB', flushSeconds: 30 });
    expect(() => logging({ sample: 0 })).toThrow('"logging.sample" is above 0');
    expect(() => logging({ sample: 1.5 })).toThrow('"logging.sample" is a share, at most 1');
    expect(() => logging({ sample: 1, maxBytes: '1MB' })).toThrow('"logging.maxBytes" is at least "16MB"');
    expect(() => logging({ sampel: 1 })).toThrow('"logging.sampel" is no option; did you mean "sample"?');
  });

  it('fills in every default and makes paths absolute', () => {
    expect(parseConfig(defineConfig({ project: 'streamrec' }), '/repository')).toEqual({
      root: '/repository',
      project: 'streamrec',
      state: '/repository/.featherflight',
      storage: '/repository/.featherflight/storage',
      onlineStore: { kind: 'lmdb' },
      offlineEngine: { kind: 'duckdb', threads: availableParallelism(), memory: '768MB', spill: '100GB', cache: '1GB' },
      http: {
        host: '127.0.0.1',
        port: 6566,
        timeoutMs: 30_000,
        maxBodyBytes: 16_777_216,
        maxRows: 10_000,
        maxConcurrentRequests: 256,
        maxJsonDepth: 32,
        drainSeconds: 10,
      },
      insecure: false,
      audit: { enabled: true, keepDays: 400 },
      health: { every: '1m', window: '5m', history: '24h', minKeys: 50, nullRate: 0.2 },
      flight: {
        host: '127.0.0.1',
        port: 8815,
        limits: {
          maxConcurrentQueries: 2,
          maxQueuedQueries: 128,
          maxQueriesPerToken: 64,
          queryTimeoutSeconds: 3600,
          maxUploadBytes: 17_179_869_184,
          maxStoredUploadBytes: 68_719_476_736,
          maxMessageBytes: 2_147_483_647,
          drainSeconds: 30,
        },
      },
      readable: [],
    });
  });

  it('makes paths of TLS absolute, and names the nearest option of each door', () => {
    const tls = { cert: 'tls/cert.pem', key: '/etc/key.pem', clientCa: 'ca.pem' };
    expect(parseConfig({ project: 'p', tls }, '/repository').tls).toEqual({
      cert: '/repository/tls/cert.pem',
      key: '/etc/key.pem',
      clientCa: '/repository/ca.pem',
    });
    expect(problemsOf({ project: 'p', tls: { cert: 'a', key: 'b', certificate: 'c' }, http: { maxRow: 5 } })).toEqual([
      '"http.maxRow" is no option; did you mean "maxRows"?',
      expect.stringContaining('"tls.certificate" is no option'),
    ]);
  });

  it('keeps what is written, down to one limit among defaults', () => {
    const config = parseConfig(
      defineConfig({
        project: 'p',
        state: 'var',
        storage: '/srv/uploads',
        readable: ['data', '/mnt/frames'],
        onlineStore: lmdb(),
        offlineEngine: duckdb({ threads: 3, memory: '512MiB' }),
        flight: { port: 0, limits: { maxConcurrentQueries: 4 } },
      }),
      '/repository',
    );
    expect(config).toMatchObject({
      state: '/repository/var',
      storage: '/srv/uploads',
      readable: ['/repository/data', '/mnt/frames'],
      offlineEngine: { threads: 3, memory: '512MiB', spill: '100GB', cache: '1GB' },
      flight: { host: '127.0.0.1', port: 0, limits: { maxConcurrentQueries: 4, maxQueuedQueries: 128 } },
    });
  });

  it('is frozen to its leaves', () => {
    const config = parseConfig({ project: 'p' }, '/repository');
    expect([config, config.flight, config.flight.limits, config.readable, config.offlineEngine].every(Object.isFrozen)).toBe(
      true,
    );
  });

  it('puts the environment above the file', () => {
    const config = parseConfig({ project: 'p', flight: { host: '0.0.0.0' } }, '/repository', {
      FEATHERFLIGHT_PROJECT: 'q',
      FEATHERFLIGHT_STATE: 'elsewhere',
      FEATHERFLIGHT_FLIGHT_PORT: '9000',
      FEATHERFLIGHT_DUCKDB_THREADS: '1',
      FEATHERFLIGHT_DUCKDB_MEMORY: '2GB',
      FEATHERFLIGHT_SECRET: '',
    });
    expect(config).toMatchObject({ project: 'q', state: '/repository/elsewhere', flight: { host: '0.0.0.0', port: 9000 } });
    expect(config.offlineEngine).toMatchObject({ threads: 1, memory: '2GB' });
    expect(config.secret).toBeUndefined();
  });

  it('takes Redis by URL, Cluster or Sentinel, files of TLS relative to the repository', () => {
    const storeOf = (onlineStore: ReturnType<typeof redis>) =>
      parseConfig({ project: 'p', onlineStore }, '/repository').onlineStore;
    expect(storeOf(redis({ url: 'rediss://app:s3cret@cache:6380/2', tls: { ca: 'ca.pem', servername: 'cache' } }))).toEqual({
      kind: 'redis',
      url: 'rediss://app:s3cret@cache:6380/2',
      tls: { ca: '/repository/ca.pem', servername: 'cache' },
      connectTimeoutMs: 2000,
      commandTimeoutMs: 1000,
    });
    expect(storeOf(redis({ cluster: ['10.0.0.1', '[::1]:7000'], commandTimeoutMs: 50 }))).toMatchObject({ commandTimeoutMs: 50 });
    expect(storeOf(redis({ sentinel: { master: 'm', nodes: ['a:26379'] } }))).toMatchObject({ sentinel: { master: 'm' } });
    expect(storeOf(redis({ url: 'unix:///run/redis.sock' }))).toMatchObject({ url: 'unix:///run/redis.sock' });
  });

  it('takes the URL of Redis from the environment, also where the file names an embedded store', () => {
    const environment = { FEATHERFLIGHT_REDIS_URL: 'redis://cache:6379' };
    const storeOf = (input: object) => parseConfig({ project: 'p', ...input }, '/repository', environment).onlineStore;
    expect(storeOf({})).toMatchObject({ kind: 'redis', url: 'redis://cache:6379' });
    expect(storeOf({ onlineStore: lmdb() })).toMatchObject({ kind: 'redis', url: 'redis://cache:6379' });
    expect(storeOf({ onlineStore: redis({ url: 'redis://other', commandTimeoutMs: 50 }) })).toMatchObject({
      url: 'redis://cache:6379',
      commandTimeoutMs: 50,
    });
  });

  it.each([
    [redis(), 'exactly one of "url", "cluster" and "sentinel"'],
    [redis({ url: 'redis://a', cluster: ['b'] }), 'exactly one of'],
    [redis({ url: 'http://s3cret@a' }), '"onlineStore.url" is a URL such as redis://HOST:6379/0'],
    [redis({ url: 'redis://s3cret@a?family=6' }), '"onlineStore.url" is a URL'],
    [redis({ url: 'redis://a/first' }), '"onlineStore.url" is a URL'],
    [redis({ cluster: ['redis://a'] }), '"onlineStore.cluster.0" is an address'],
    [redis({ cluster: ['a'], database: 1 }), '"onlineStore.database" is 0 in a Cluster'],
    [{ ...redis({ url: 'redis://a' }), pasword: 'x' }, '"onlineStore.pasword" is no option; did you mean "password"?'],
    [redis({ url: 'redis://a', tls: { cret: 'x' } as object }), '"onlineStore.tls.cret" is no option; did you mean "cert"?'],
  ])('refuses %j, and never repeats a password', (onlineStore, message) => {
    const problems = problemsOf({ project: 'p', onlineStore });
    expect(problems).toEqual([expect.stringContaining(message)]);
    expect(problems.join()).not.toContain('s3cret');
  });

  it('names every unknown option with the nearest one, all at once', () => {
    const problems = problemsOf({
      project: 'p',
      sate: 'x',
      flight: { prot: 1, limits: { maxQueuedQuerys: 2 } },
      offlineEngine: { kind: 'duckdb', thread: 1 },
    });
    expect(problems).toEqual([
      '"offlineEngine.thread" is no option; did you mean "threads"?',
      '"flight.limits.maxQueuedQuerys" is no option; did you mean "maxQueuedQueries"?',
      '"flight.prot" is no option; did you mean "port"?',
      '"sate" is no option; did you mean "state"?',
    ]);
  });

  it.each([
    [{}, '"project"'],
    [{ project: 'Stream Rec' }, '"project" is lower case letters, digits and "_"'],
    [{ project: 'p', offlineEngine: { kind: 'duckdb', memory: 'much' } }, '"offlineEngine.memory" is a size such as "4GB"'],
    [{ project: 'p', secret: 'short' }, '"secret" has at least 16 characters (or FEATHERFLIGHT_SECRET)'],
    [{ project: 'p', flight: { port: 70_000 } }, '"flight.port"'],
    [{ project: 'p', readable: 'data' }, '"readable"'],
    [{ project: 'p', storage: 's3://bucket' }, '"storage" is a URL, and only a path is possible'],
    [undefined, 'exports no config'],
  ])('refuses %j', (input, message) => {
    expect(problemsOf(input)).toEqual([expect.stringContaining(message)]);
  });

  it('refuses an environment variable that is no number', () => {
    expect(problemsOf({ project: 'p' }, { FEATHERFLIGHT_FLIGHT_PORT: 'many' })).toEqual([
      expect.stringContaining('FEATHERFLIGHT_FLIGHT_PORT'),
    ]);
  });
});
