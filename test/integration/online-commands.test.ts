/** The online half of the command line, on the state and through a server: materialized rows, the values served, tokens. */
import { afterEach, beforeEach, expect, it } from 'vitest';
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

async function json(...args: string[]): Promise<never> {
  const { status, stdout, stderr } = await runCommand([...args, '--json'], { directory });
  expect({ status, stderr }).toMatchObject({ status: 0 });
  return JSON.parse(stdout) as never;
}

it('materializes and serves the same here and there, and keeps out of a server’s state', async () => {
  const { rows: views } = (await json('list', 'views')) as { rows: { name: string }[] };
  const view = views.map(({ name }) => name).find((name) => name.startsWith('user')) as string;
  const { rows: features } = (await json('list', 'features')) as { rows: { name: string }[] };
  const feature = features.map(({ name }) => name).find((name) => name.startsWith(`${view}:`)) as string;
  const ask = ['get-online-features', '--features', feature, '--entities', '{"user_id": [7]}'];
  expect(await json(...ask)).toMatchObject({ never_materialized: [view] });
  expect(await json('materialize-incremental', view)).toMatchObject({
    start: null,
    views: [{ view, keys: 1000, written: 1000 }],
  });
  const here = (await json(...ask)) as { columns: object };
  expect(here).toMatchObject({
    never_materialized: [],
    rows: 1,
    columns: { [feature.split(':')[1] as string]: { statuses: ['OUTSIDE_MAX_AGE'] } },
  });
  server = await startServer(directory);
  expect(((await json(...ask, '--url', server.url)) as typeof here).columns).toEqual(here.columns);
  expect(await json('materialize-incremental', view, '--url', server.url)).toMatchObject({ views: [{ view, written: 0 }] });
  expect(await runCommand(['materialize-incremental', view], { directory })).toMatchObject({
    status: 1,
    stderr: expect.stringContaining('ask that server, or stop it first'),
  });
});

it('makes, lists and revokes tokens, and refuses wrong usage', async () => {
  const made = (await json('token', 'create', '--scope', 'read-online', '--description', 'shop')) as {
    id: string;
    token: string;
  };
  expect(made.token).toMatch(/^ff_/);
  const { stdout } = await runCommand(['token', 'list'], { directory });
  expect(stdout).toContain(made.id);
  expect(stdout).not.toContain(made.token);
  expect(await json('token', 'revoke', made.id)).toMatchObject({ id: made.id, revokedAt: expect.any(String) });
  expect(await runCommand(['token', 'revoke', 'nobody'], { directory })).toMatchObject({ status: 1 });
  expect(await runCommand(['token', 'create'], { directory })).toMatchObject({ status: 2 });
  expect(await runCommand(['materialize'], { directory })).toMatchObject({ status: 2 });
  expect(await runCommand(['get-online-features', '--entities', '{}'], { directory })).toMatchObject({ status: 2 });
});
