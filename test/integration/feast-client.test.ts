/** A stock Feast 0.67 client, in a Python environment of its own, reads and writes through our server as through its own. */
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { preparePython } from '../../src/demo/prepare-python.ts';
import { parseJson } from '../../src/json/parse-json.ts';
import { call, post } from '../support/http-client.ts';
import { runProgram } from '../support/run-program.ts';
import { type ServerProcess, startServer } from '../support/start-server.ts';
import { makeHttpStore } from './http-store.ts';

const root = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '');

/** What Feast has types for. */
const visitor = `
export const visitorView = featureView('visitor', {
  entities: [user], source: profiles,
  features: {
    age: { type: 'int32', default: -1 }, visits: { type: 'int64' }, score: { type: 'float64' }, ratio: { type: 'float32' },
    city: { type: 'string' }, since: { type: 'timestamp' }, active: { type: 'bool' },
  },
});
export const visitors = featureService('visitors', { features: [visitorView.select('age', 'score')] });
`;

let python: string;
let server: ServerProcess;

beforeAll(async () => {
  python = await preparePython({ venv: `${root}/.venv-feast`, set: 'feast', packages: ['feast==0.67.*'], cwd: root });
  server = await startServer(await makeHttpStore({}, visitor));
  await post(`${server.http}/api/v1/materialize`, {});
}, 600_000);
afterAll(async () => {
  await server?.stop();
});

it('reads, writes and pushes with its own types, and raises its own errors', async () => {
  const made = await post(`${server.http}/api/v1/tokens`, { scopes: ['read-online', 'write'] });
  const { token } = made.json() as { token: string };
  const script = fileURLToPath(new URL('./feast_client.py', import.meta.url));
  const { status, stdout, stderr } = await runProgram(python, [script, server.http, token]);
  if (status !== 0) throw new Error(stderr);
  const got = parseJson(Buffer.from(stdout.trim().split('\n').at(-1) as string), 32);
  expect(got).toEqual({
    read: {
      user_id: [1, 9007199254740993n, 4],
      age: [30, 2147483647, -1],
      visits: [5, 9223372036854775807n, null],
      score: [0.5, null, null],
      ratio: [0.1, null, null],
      city: ['Zürich', '"\\', null],
      since: [1767323045, -1, null],
      active: [true, false, null],
    },
    full: ['user_id', 'visitor__age'],
    service: "{'user_id': [1], 'age': [30], 'score': [0.5]}",
    statuses: [1, 2, 3],
    written: {
      user_id: [21, 22],
      age: [51, -1],
      visits: [9007199254740993n, 6],
      score: [0.25, null],
      ratio: [0.1, 0.2],
      city: ['Bern', null],
      since: [1772366400, 1772366400],
      active: [true, false],
    },
    pushed: { user_id: [31], age: [51], visits: [9007199254740993n] },
    unknown: expect.stringMatching(/^FeatureViewNotFoundException: there is no feature view "nope"/),
    key: expect.stringMatching(/^FeastError: .*user_id/),
    nobody: expect.stringMatching(/^FeastPermissionError: /),
  });
}, 120_000);

it('is told by its own health check that the server lives', async () => {
  expect((await call(`${server.http}/health`)).status).toBe(200);
});
