/** `push` and `erase`, in the repository itself and through a server. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FeatherflightClient } from '../../src/client/index.ts';
import { runCommand } from '../cli/run-command.ts';
import { type ServerProcess, startServer } from '../support/start-server.ts';
import { makeHttpStore } from './http-store.ts';
import { writeTables } from './make-store.ts';

let directory: string;
let server: ServerProcess | undefined;

beforeAll(async () => {
  directory = await makeHttpStore();
  await writeTables(
    directory,
    [50, 51].map((user) => [`${user}.parquet`, rowOf(user)] as const),
  );
});

afterAll(async () => {
  await server?.stop();
});

const rowOf = (user: number) => `
  select ${user}::bigint as user_id, timestamptz '2026-03-01 00:00:00.000001Z' as "at", null::timestamptz as made, 7::integer as age,
    9::bigint as visits, 0.5::double as score, null::float as ratio, 'é' as city, 1.10::decimal(12,2) as spent,
    null::timestamptz as since, null::date as born, '\\x00'::blob as token, true as active, [1]::bigint[] as path`;

const run = async (...args: string[]) => {
  const { status, stdout, stderr } = await runCommand(args, { directory });
  expect(status, stderr).toBe(0);
  return stdout;
};

describe('without a server', () => {
  it('pushes the rows of a file into archive and online store', async () => {
    expect(await run('push', 'profiles', '50.parquet')).toBe('pushed 1 rows: 1 written online, 0 unchanged, 0 erased\n');
    const wrong = await runCommand(['push', 'profile', '50.parquet'], { directory });
    expect(wrong).toMatchObject({ status: 1, stderr: expect.stringContaining('did you mean "profiles"') });
  });

  it('erases an entity until that is taken back', async () => {
    expect(await run('erase', 'user', 'user_id=50')).toBe(
      [
        'erased user user_id=50: online rows of user_profile 1',
        'pushed to profiles: 1 rows in 1 files removed',
        'not changed: profiles may hold it, in data/users.parquet',
        'rows of it are refused until that is lifted (--lift)',
        '',
      ].join('\n'),
    );
    expect(await run('push', 'profiles', '50.parquet', '--idempotency-key', 'again')).toContain('1 erased');
    expect(JSON.parse(await run('erase', '--list', '--json'))).toEqual({
      erasures: [{ entities: ['user'], keys: { user_id: '50' }, erased_at: expect.any(String), finished: true }],
    });
    expect(await run('erase', '--list')).toMatch(/^user +user_id=50 .*erased$/m);
    expect(await run('erase', 'user', 'user_id=50', '--lift')).toBe('lifted\n');
    expect(await run('erase', 'user', 'user_id=50', '--lift')).toBe('nothing was erased\n');
    expect(await run('push', 'profiles', '50.parquet', '--idempotency-key', 'lifted')).toContain('1 written online');
  });

  it('asks before it erases on a terminal', async () => {
    const refused = await runCommand(['erase', 'user', 'user_id=50'], { directory, answer: false });
    expect(refused).toMatchObject({ status: 1, stderr: 'nothing was erased\n' });
    expect(refused.questions).toHaveLength(1);
  });

  it.each([
    [['user', 'user_id=three'], 'write a whole number'],
    [['user', 'item_id=3'], 'join keys user_id'],
    [['users', 'user_id=3'], 'did you mean "user"'],
    [['user', '3'], 'key=value'],
  ])('refuses to erase %j', async (args, reason) => {
    const wrong = await runCommand(['erase', ...args], { directory });
    expect(wrong).toMatchObject({ status: 1, stderr: expect.stringContaining(reason) });
  });
});

it('asks for keys that no double holds, here and through a server', async () => {
  await run('materialize-incremental', 'user_profile');
  const ask = (...more: string[]) =>
    run('get-online-features', '--features', 'user_profile:visits', '--entities', '{"user_id": [9007199254740993]}', ...more);
  expect(await ask()).toMatch(/^9007199254740993 +visits +9223372036854775807 +PRESENT$/m);
  server = await startServer(directory);
  expect(await ask('--url', server.http)).toMatch(/^9007199254740993 +visits +9223372036854775807 +PRESENT$/m);
  await server.stop();
});

it('pushes through a server, which holds the state', async () => {
  server = await startServer(directory);
  const pushed = await run('push', 'profiles', '51.parquet', '--json', '--url', server.url);
  expect(JSON.parse(pushed)).toEqual({ rows: 1, archived: 1, written: 1, unchanged: 0, erased: 0 });
  const client = new FeatherflightClient({ url: server.http });
  const answer = await client.getOnlineFeatures({ features: ['user_profile:visits'], entities: { user_id: [50, 51] } });
  expect(answer.columns.visits?.values).toEqual([9n, 9n]);
  await client.close();
  const held = await runCommand(['erase', 'user', 'user_id=51'], { directory });
  expect(held).toMatchObject({ status: 1, stderr: expect.stringContaining('serve') });
});

it('erases through a server, which goes on serving: command line, HTTP, Flight and the Node client', async () => {
  const url = server?.url as string;
  const client = new FeatherflightClient({ url: server?.http as string, flightUrl: url });
  const visits = async () => {
    const answer = await client.getOnlineFeatures({ features: ['user_profile:visits'], entities: { user_id: [50, 51] } });
    return answer.columns.visits?.statuses;
  };
  const frame = "select 51::bigint as user_id, timestamptz '2026-03-02' as event_timestamp";
  await writeTables(directory, [['frame.parquet', frame]]);
  const training = async () =>
    await run(
      'get-historical-features',
      '--entities',
      'frame.parquet',
      '--features',
      'user_profile:visits',
      '--out',
      '-',
      '--url',
      url,
    );
  expect(await training()).toContain('51,2026-03-02T00:00:00.000000Z,9');
  expect(JSON.parse(await run('erase', 'user', 'user_id=51', '--json', '--url', url))).toMatchObject({
    online: { rows: { user_profile: 1 } },
    archives: [{ source: 'profiles', files: 1, rows: 1 }],
    feature_log: { files: 0, rows: 0 },
    datasets: [],
    foreign: [{ source: 'profiles', paths: ['data/users.parquet'] }],
  });
  expect(await visits()).toEqual(['PRESENT', 'NOT_FOUND']);
  expect(await training()).not.toContain(',9');
  expect(await run('erase', '--list', '--url', url)).toContain('user_id=51');
  expect(await client.liftErasure('user', { user_id: 51n })).toEqual({ lifted: true, erased_at: expect.any(String) });
  expect(await training()).not.toContain(',9');
  expect(await client.erase('user', { user_id: 50n })).toMatchObject({ entity: 'user', online: { keys: 1 } });
  expect(await visits()).toEqual(['NOT_FOUND', 'NOT_FOUND']);
  expect(await client.erasures()).toMatchObject([{ entities: ['user'], keys: { user_id: '50' }, finished: true }]);
  expect(await run('erase', 'user', 'user_id=50', '--lift', '--url', url)).toBe('lifted\n');
  expect(await client.erasures()).toEqual([]);
  await expect(client.erase('user', { user_id: 'fifty' })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  await client.close();
});
