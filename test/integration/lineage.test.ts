/** Lineage of an applied repository, asked of a real server. */

import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { FeatherflightClient } from '../../src/client/index.ts';
import type { Lineage } from '../../src/lifecycle/lineage.ts';
import { runCommand } from '../cli/run-command.ts';
import { call } from '../support/http-client.ts';
import { runProgram } from '../support/run-program.ts';
import { type ServerProcess, startServer } from '../support/start-server.ts';
import { makeHttpStore } from './http-store.ts';

let server: ServerProcess;
let directory: string;
const ask = async (name: string) => await call(`${server.http}/api/v1/lineage/${encodeURIComponent(name)}`);
const lineageOf = async (name: string) => (await ask(name)).json() as Lineage;
const ids = (nodes: Lineage['upstream']) => nodes.map(({ id }) => id).sort();

beforeAll(async () => {
  directory = await makeHttpStore();
  server = await startServer(directory);
});
afterAll(async () => {
  await server?.stop();
});

it('follows a source down to services, with the features that each reads', async () => {
  const { of, upstream, downstream, edges } = await lineageOf('profiles');
  expect(of).toEqual(['source/profiles']);
  expect(ids(upstream)).toEqual(['table/data/users.parquet']);
  expect(ids(downstream)).toEqual([
    'feature_service/plain',
    'feature_service/ranker',
    'feature_view/user_profile',
    'on_demand_view/doubled',
  ]);
  expect(edges).toContainEqual({ from: 'feature_view/user_profile', to: 'on_demand_view/doubled', features: ['age'] });
  expect(edges).toContainEqual({ from: 'on_demand_view/doubled', to: 'feature_service/ranker', features: ['times_age'] });
});

it('follows one feature alone', async () => {
  expect(ids((await lineageOf('user_profile:score')).downstream)).toEqual(['feature_service/plain', 'feature_service/ranker']);
  expect(ids((await lineageOf('user_profile:city')).downstream)).toEqual([]);
  expect(ids((await lineageOf('doubled:times_age')).downstream)).toEqual(['feature_service/ranker']);
});

it('goes up from where others go down, and the other way round', async () => {
  const names = ['profiles', 'stock', 'user_profile', 'item_stats', 'doubled', 'ranker', 'plain'];
  const all = new Map(await Promise.all(names.map(async (name) => [name, await lineageOf(name)] as const)));
  for (const [one, a] of all) {
    for (const [other, b] of all) {
      const isAbove = ids(a.downstream).includes(b.of[0] as string);
      expect({ one, other, isAbove: ids(b.upstream).includes(a.of[0] as string) }).toEqual({ one, other, isAbove });
    }
  }
  expect(ids(all.get('plain')?.upstream ?? [])).toEqual([
    'feature_view/item_stats',
    'feature_view/user_profile',
    'source/profiles',
    'source/stock',
    'table/data/items.parquet',
    'table/data/users.parquet',
  ]);
});

it('refuses a name that is none, with the nearest', async () => {
  const answer = await ask('user_profil');
  expect(answer.status).toBe(404);
  expect(answer.text).toContain('user_profile');
  expect((await ask('user_profile:nothing')).status).toBe(404);
});

it('is the same at every door, and the command line shows it as a tree', async () => {
  const client = new FeatherflightClient({ url: server.http, flightUrl: server.url });
  try {
    const asked = await lineageOf('user_profile');
    expect(await client.lineage('user_profile')).toEqual(asked);
    expect(await (await client.flight()).lineage('user_profile')).toEqual(asked);
    for (const where of [[], ['--url', server.url]]) {
      const run = await runCommand(['lineage', 'user_profile', '--json', ...where], { directory });
      expect(JSON.parse(run.stdout)).toEqual(asked);
      expect(await runCommand(['lineage', 'user_profile', ...where], { directory })).toMatchObject({
        status: 0,
        stdout: `feature view user_profile
  made of
    source profiles
      table data/users.parquet
  read by
    on-demand view doubled: age
      feature service ranker: times_age
    feature service plain: age, score
    feature service ranker: age, score
`,
      });
      expect(await runCommand(['lineage', 'user_profil', ...where], { directory })).toMatchObject({
        status: 1,
        stderr: expect.stringContaining('did you mean "user_profile"?'),
      });
    }
    await expect(client.lineage('user_profil')).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect((await client.flight()).lineage('user_profil')).rejects.toMatchObject({ code: 'NOT_FOUND' });
  } finally {
    await client.close();
  }
  const nothing = await runCommand(['lineage', 'user_profile:city'], { directory, answer: true });
  expect(nothing.stdout).toMatch(/^feature user_profile:city\n {2}made of\n[\s\S]* {2}read by nothing\n$/);
});

it('is a tree, a graph and a frame in Python', async () => {
  const code = `
import featherflight as ff

store = ff.connect(${JSON.stringify(server.url)})
lineage = store.lineage("plain")
print(lineage)
print(lineage.of, sorted(node.name for node in lineage.upstream), lineage.downstream)
print(lineage.to_pandas().shape, lineage._repr_html_().count("<rect"))
try:
    store.lineage("plein")
except ff.NotFoundError as error:
    print(error.message)
`;
  const python = fileURLToPath(new URL('../../.venv/bin/python', import.meta.url));
  const environment = { PYTHONPATH: fileURLToPath(new URL('../../python_client/src', import.meta.url)) };
  expect(await runProgram(python, ['-c', code], { environment })).toMatchObject({
    status: 0,
    stdout: `feature service plain
  made of
    feature view user_profile: age, score
      source profiles
        table data/users.parquet
    feature view item_stats: price, sold
      source stock
        table data/items.parquet
  read by nothing
('feature_service/plain',) ['data/items.parquet', 'data/users.parquet', 'item_stats', 'profiles', 'stock', 'user_profile'] ()
(6, 5) 7
there is no source, view, feature or service "plein"; did you mean "plain"?
`,
  });
});
