/** `types`: what it writes compiles with the client, lets right requests through and refuses wrong ones. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { runCommand } from '../cli/run-command.ts';
import { runProgram } from '../support/run-program.ts';
import { startServer } from '../support/start-server.ts';
import { makeHttpStore } from './http-store.ts';

const path = (name: string) => fileURLToPath(new URL(name, import.meta.url));

const program = `
import { FeatherflightClient } from 'featherflight/client';
import type { AppliedDefinitions } from './features.d.ts';

const client = new FeatherflightClient<AppliedDefinitions>({ url: 'http://127.0.0.1:1' });
const ranked = await client.getOnlineFeatures({
  service: 'ranker', entities: { user_id: [1n], item_id: ['a', 'b'] }, request: { factor: [2] },
});
export const sold: bigint | null = ranked.rows()[0]!.sold;
export const price: readonly (number | null)[] = ranked.columns.price.values;
const some = await client.getOnlineFeatures({ features: ['user_profile:path', 'user_profile:spent'], entities: { user_id: [1] } });
export const path: readonly (readonly (bigint | null)[] | null)[] = some.columns.path.values;
export const spent: string | null | undefined = some.columns.spent.values[0];

// @ts-expect-error no such service
client.getOnlineFeatures({ service: 'rankers', entities: { user_id: [1n] } });
// @ts-expect-error a key is missing
client.getOnlineFeatures({ service: 'plain', entities: { user_id: [1n] } });
// @ts-expect-error a key of another type
client.getOnlineFeatures({ service: 'plain', entities: { user_id: [1n], item_id: [2] } });
// @ts-expect-error the request's values are missing
client.getOnlineFeatures({ service: 'ranker', entities: { user_id: [1n], item_id: ['a'] } });
// @ts-expect-error no such feature
client.getOnlineFeatures({ features: ['user_profile:agee'], entities: { user_id: [1n] } });
// @ts-expect-error no such column
ranked.columns.prices;
// @ts-expect-error a column of another type
export const wrong: readonly (string | null)[] = ranked.columns.sold.values;
`;

it('writes types that let right requests compile and no wrong one', async () => {
  const directory = await makeHttpStore();
  expect(await runCommand(['types', '--out', 'features.d.ts'], { directory })).toMatchObject({
    status: 0,
    stdout: 'wrote features.d.ts\n',
  });
  writeFileSync(join(directory, 'use.ts'), program);
  const compilerOptions = {
    strict: true,
    noEmit: true,
    target: 'es2022',
    module: 'nodenext',
    skipLibCheck: true,
    allowImportingTsExtensions: true,
    types: ['node'],
    typeRoots: [path('../../node_modules/@types')],
    paths: { 'featherflight/client': [path('../../dist/client/index.d.ts')] },
  };
  writeFileSync(join(directory, 'package.json'), '{"type": "module"}');
  writeFileSync(join(directory, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['use.ts'] }));
  const compiled = await runProgram(process.execPath, [path('../../node_modules/typescript/bin/tsc'), '-p', directory]);
  expect(compiled.stdout).toBe('');
  expect(compiled.status).toBe(0);
});

it('writes those of a server, and int64 as numbers where the client gives them', async () => {
  const directory = await makeHttpStore();
  const here = await runCommand(['types', '--out', '-', '--int64', 'number'], { directory });
  expect(here.stdout).toContain('readonly "sold": number;');
  const server = await startServer(directory);
  const there = await runCommand(['types', '--out', '-', '--int64', 'number', '--url', server.url], { directory });
  await server.stop();
  expect(there.stdout).toBe(here.stdout);
});
