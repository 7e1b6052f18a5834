/** Checks of a server beside its queries: they wait in turn, are told when to come back, end with their caller, and leave nothing. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { runCommand } from '../cli/run-command.ts';
import { call, type HttpAnswer, post } from '../support/http-client.ts';
import { type ServerProcess, startServer } from '../support/start-server.ts';
import { makeStore, writeTables } from './make-store.ts';

const limits = { maxConcurrentQueries: 1, maxQueuedQueries: 1 };
const waiting = { timeout: 20_000, interval: 5 };
/** Takes many cuts of many rows: it does not end by itself while it is looked at. */
const long = { path: 'frames/entities.parquet', features: ['activity:a'], cuts: 64 };
const short = { path: 'frames/entities.parquet', features: ['item_stats:price'], cuts: 1 };

let directory: string;
let audits: string;
let server: ServerProcess;
const calls: AbortController[] = [];

beforeAll(async () => {
  directory = await makeStore({ config: { flight: { limits } }, events: 400_000 });
  audits = join(directory, '.featherflight/audits');
  const frame = `select u::bigint as user_id, 'item ' || u as item_id, timestamptz '2026-02-01 12:00:00+00' + to_hours(u) as event_timestamp
    from range(0, 100) as a(u)`;
  await writeTables(directory, [['frames/entities.parquet', frame]]);
  server = await startServer(directory);
}, 120_000);

afterAll(async () => {
  for (const each of calls) each.abort();
  await server?.stop();
});

const copies = () => (existsSync(audits) ? readdirSync(audits) : []);

/** Asks for a check, and resolves once with its answer, or with `gone` where its caller left. */
function check(body: object) {
  const controller = new AbortController();
  calls.push(controller);
  const asked = call(`${server.http}/api/v1/validate/leaks`, { body: JSON.stringify(body), signal: controller.signal });
  const state = { isAnswered: false };
  const answered = asked
    .catch(() => 'gone' as const)
    .finally(() => {
      state.isAnswered = true;
    });
  return { answered, state, leave: () => controller.abort() };
}

it('lets queries go between steps, refuses more than may wait, and ends when the caller leaves', async () => {
  const first = check(long);
  await vi.waitFor(() => expect(copies()).toHaveLength(1), waiting);
  const others = [check(short), check(short)];
  const refused = (await Promise.race(others.map(({ answered }) => answered))) as HttpAnswer;
  expect(refused.status).toBe(429);
  expect(Number(refused.headers['retry-after'])).toBeGreaterThanOrEqual(1);
  expect(refused.json()).toMatchObject({
    error: {
      code: 'RESOURCE_EXHAUSTED',
      message: expect.stringContaining('1 check running and 1 waiting are as many as may be; try again in'),
      details: { retry_after_seconds: expect.any(Number) },
    },
  });
  const trained = await runCommand(
    [
      'get-historical-features',
      '--url',
      server.url,
      '--entities',
      'frames/entities.parquet',
      '--features',
      'item_stats:price',
      '--out',
      'frames/trained.parquet',
    ],
    { directory },
  );
  expect(trained).toMatchObject({ status: 0, stderr: '' });
  expect(first.state.isAnswered).toBe(false);
  first.leave();
  expect(await first.answered).toBe('gone');
  const answers = (await Promise.all(others.map(({ answered }) => answered))) as readonly HttpAnswer[];
  expect(answers.map(({ status }) => status).sort()).toEqual([200, 429]);
  await vi.waitFor(() => expect(copies()).toEqual([]), waiting);
  expect((await post(`${server.http}/api/v1/validate/leaks`, short)).status).toBe(200);
}, 180_000);

it('removes at its start the copies of an audit that was killed', async () => {
  await vi.waitFor(async () => {
    check(long);
    await vi.waitFor(() => expect(copies()).toHaveLength(1), waiting);
    await server.stop('SIGKILL');
    const left = copies();
    server = await startServer(directory);
    // Killed between two cuts it leaves nothing: once more then.
    expect(left).toHaveLength(1);
  }, 120_000);
  expect(copies()).toEqual([]);
}, 180_000);
