/** The online half of the command line, on the state and through a server: materialized rows, the values served, tokens. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runCommand } from '../cli/run-command.ts';
import { type ServerProcess, startServer } from '../support/start-server.ts';
import { makeStore } from './make-store.ts';

let directory: string;
let server: ServerProcess | undefined;
beforeEach(async () => {
  directory = await makeStore();
});
afterEach(async () => {
  await server?.stop();
  server = undefined;
});

const run = (args: readonly string[], token?: string) =>
  runCommand(args, { directory, environment: token === undefined ? {} : { FEATHERFLIGHT_TOKEN: token } });

async function json<T = Record<string, unknown>>(args: readonly string[], token?: string): Promise<T> {
  const { status, stdout, stderr } = await run([...args, '--json'], token);
  expect({ status, stderr }).toMatchObject({ status: 0 });
  return JSON.parse(stdout) as T;
}

interface Answer {
  readonly never_materialized: readonly string[];
  readonly columns: Readonly<
    Record<string, { readonly values: unknown[]; readonly statuses: string[]; readonly is_default: boolean[] }>
  >;
}

const asked = 'item_stats:price,item_stats:clicks,user_profile:age,user_profile:score';
const entities = '{"item_id": ["item 7", "item 7", "item 100"], "user_id": ["7", "1000", "1000"]}';
const ask = (...more: string[]) => json<Answer>(['get-online-features', '--features', asked, '--entities', entities, ...more]);

/** What make-store's users have on average, where they have a score. */
function meanScore(): number {
  const scores = [];
  for (let user = 0; user < 1000; user++) for (let day = 1; day < 6; day++) if (user % 7 !== 0) scores.push(user + day / 10);
  return scores.reduce((sum, score) => sum + score, 0) / scores.length;
}

describe('materialize', () => {
  it('serves what it has written the same here and there, and keeps out of a server’s state', async () => {
    expect(await ask()).toMatchObject({
      never_materialized: ['item_stats', 'user_profile'],
      columns: { price: { statuses: ['NOT_FOUND', 'NOT_FOUND', 'NOT_FOUND'] }, score: { is_default: [false, false, false] } },
    });
    expect(await json(['materialize-incremental'])).toMatchObject({
      start: null,
      views: expect.arrayContaining([
        expect.objectContaining({ view: 'user_profile', keys: 1000, written: 1000 }),
        expect.objectContaining({ view: 'item_stats', keys: 100, written: 100 }),
      ]),
    });
    const here = await ask();
    expect(here.never_materialized).toEqual([]);
    expect(here.columns).toMatchObject({
      price: { values: ['7.05', '7.05', null], statuses: ['PRESENT', 'PRESENT', 'NOT_FOUND'] },
      clicks: { values: ['35', '35', null], statuses: ['PRESENT', 'PRESENT', 'NOT_FOUND'] },
      age: { values: [-1, -1, -1], statuses: ['OUTSIDE_MAX_AGE', 'NOT_FOUND', 'NOT_FOUND'], is_default: [true, true, true] },
      // Also without a server the mean of today is there (rule 5.3).
      score: { statuses: ['OUTSIDE_MAX_AGE', 'NOT_FOUND', 'NOT_FOUND'], is_default: [true, true, true] },
    });
    for (const value of here.columns.score?.values ?? []) expect(value).toBeCloseTo(meanScore(), 6);
    server = await startServer(directory);
    expect((await ask('--url', server.url)).columns).toEqual(here.columns);
    expect(await json(['materialize-incremental', 'user_profile', '--url', server.url])).toMatchObject({
      views: [{ view: 'user_profile', written: 0 }],
    });
    expect(await run(['materialize-incremental', 'user_profile'])).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('ask that server, or stop it first'),
    });
  });

  it.each(['here', 'there'])(
    'takes a range of event timestamps, both ends inclusive, and leaves the watermark alone: %s',
    async (where) => {
      if (where === 'there') server = await startServer(directory);
      const more = server === undefined ? [] : ['--url', server.url];
      const range = (start: string, end: string) => ['materialize', 'item_stats', '--start', start, '--end', end, ...more];
      expect(await json(range('2026-03-02T00:00:00Z', '2026-03-03T00:00:00Z'))).toMatchObject({
        start: '2026-03-02T00:00:00.000000Z',
        end: '2026-03-03T00:00:00.000000Z',
        views: [{ view: 'item_stats', keys: 100, written: 100 }],
      });
      const third = await ask(...more);
      expect(third.never_materialized).toContain('item_stats');
      expect(third.columns.price?.values).toEqual(['7.03', '7.03', null]);
      expect(await json(range('2026-03-01T00:00:00Z', '2026-03-02T23:59:59.999999Z'))).toMatchObject({ views: [{ written: 0 }] });
      expect((await ask(...more)).columns.price?.values).toEqual(['7.03', '7.03', null]);
      expect(await json(range('2026-03-03T00:00:00.000001Z', '2026-03-04T00:00:00Z'))).toMatchObject({
        views: [{ written: 100 }],
      });
      expect((await ask(...more)).columns).toMatchObject({
        price: { values: ['7.04', '7.04', null] },
        clicks: { values: ['28', '28', null] },
      });
      const backwards = await run(range('2026-03-03T00:00:00Z', '2026-03-02T00:00:00Z'));
      expect(backwards).toMatchObject({ status: 1, stderr: expect.stringContaining('after its end') });
    },
  );
});

describe('token', () => {
  it('makes, lists and revokes on the state', async () => {
    const made = await json<{ id: string; token: string }>([
      'token',
      'create',
      '--scope',
      'read-online',
      '--description',
      'shop',
    ]);
    expect(made.token).toMatch(/^ff_/);
    const { stdout } = await run(['token', 'list']);
    expect(stdout).toContain(made.id);
    expect(stdout).not.toContain(made.token);
    expect(await json(['token', 'revoke', made.id])).toMatchObject({ id: made.id, revokedAt: expect.any(String) });
    expect(await run(['token', 'revoke', 'nobody'])).toMatchObject({ status: 1 });
  });

  it('makes, lists and revokes through a server, which takes and refuses them at once', async () => {
    server = await startServer(directory);
    const there = ['--url', server.url];
    const create = (scope: string, token?: string, ...more: string[]) =>
      json<{ id: string; token: string }>(['token', 'create', '--scope', scope, ...more, ...there], token);
    const admin = await create('admin');
    const reader = await create('read-online', admin.token, '--view', 'item_stats', '--expires', '2126-01-01T00:00:00Z');
    const expired = await create('read-online', admin.token, '--expires', '2020-01-01T00:00:00Z');
    const foreign = await create('admin', admin.token, '--project', 'another');
    const { stdout } = await run(['token', 'list', ...there], admin.token);
    expect(stdout).toMatch(new RegExp(`^${reader.id} +read-online +until 2126-01-01 +item_stats`, 'm'));
    expect(stdout).toMatch(new RegExp(`^${expired.id} +read-online +expired`, 'm'));
    for (const { token } of [admin, reader, expired, foreign]) expect(stdout).not.toContain(token);

    const price = ['get-online-features', '--features', 'item_stats:price', '--entities', '{"item_id": ["item 7"]}', ...there];
    const outcome = async (args: readonly string[], token?: string) => {
      const { status, stderr } = await run([...args, '--json'], token);
      return status === 0 ? 'done' : (JSON.parse(stderr) as { error: { code: string } }).error.code;
    };
    expect(await outcome(price)).toBe('UNAUTHENTICATED');
    expect(await outcome(price, reader.token)).toBe('done');
    expect(await outcome(price.with(2, 'user_profile:age'), reader.token)).toBe('PERMISSION_DENIED');
    for (const refused of [expired, foreign]) expect(await outcome(price, refused.token)).toBe('UNAUTHENTICATED');
    for (const args of [
      ['token', 'list'],
      ['token', 'create', '--scope', 'admin'],
      ['token', 'revoke', admin.id],
    ]) {
      expect([args, await outcome([...args, ...there], reader.token)]).toEqual([args, 'PERMISSION_DENIED']);
    }
    expect(await outcome(['materialize-incremental', ...there], reader.token)).toBe('PERMISSION_DENIED');
    expect(await json(['token', 'revoke', reader.id, ...there], admin.token)).toMatchObject({ revokedAt: expect.any(String) });
    expect(await outcome(price, reader.token)).toBe('UNAUTHENTICATED');
    expect(await outcome(['token', 'create', '--scope', 'admin'])).toBe('FAILED_PRECONDITION');
  });
});

it('refuses wrong usage', async () => {
  for (const args of [
    ['token', 'create'],
    ['materialize'],
    ['materialize', 'item_stats', '--end', '2026-03-03T00:00:00Z'],
    ['get-online-features', '--entities', '{}'],
  ])
    expect([args, (await run(args)).status]).toEqual([args, 2]);
});
