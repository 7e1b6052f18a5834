/** A Kafka stream as its operator sees it: events of a third party's producer, bad ones among them, and a log that is lost and reset. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import type { ShownSetAsideReport } from '../../src/serve/show-set-aside.ts';
import type { ShownStream } from '../../src/serve/stream-status.ts';
import { runCommand } from '../cli/run-command.ts';
import { call } from '../support/http-client.ts';
import { type Broker, type KafkaProducer, startBroker, startProducer } from '../support/start-broker.ts';
import { applyRepository, type ServerProcess, startServer } from '../support/start-server.ts';

let broker: Broker;
let producer: KafkaProducer;
let directory: string;
let server: ServerProcess | undefined;

const definitionsAt = (address: string) => `
import { count, entity, eventSource, kafka, streamFeatureView } from 'featherflight';
export const user = entity('user', { joinKeys: { user_id: 'int64' } });
export const clicks = eventSource('clicks', {
  stream: kafka({ brokers: ['${address}'], topic: 'clicks' }), eventTimestamp: 'at',
  columns: { user_id: 'int64', kind: { type: 'string', values: ['view', 'click'] } },
});
export const activity = streamFeatureView('activity', {
  entities: [user], source: clicks, features: { n: count({ window: '7d' }) },
});
`;

beforeAll(async () => {
  broker = await startBroker('noida');
  producer = startProducer(broker.address);
  await producer.createTopic('clicks', 2);
  directory = mkdtempSync(join(tmpdir(), 'featherflight-kafka-'));
  mkdirSync(join(directory, 'features'));
  writeFileSync(join(directory, 'featherflight.config.ts'), `export default { project: 'kafka_faces' };\n`);
  writeFileSync(join(directory, 'features/clicks.ts'), definitionsAt(broker.address));
  await applyRepository(directory);
  server = await startServer(directory);
});
afterAll(async () => {
  await server?.stop();
  await producer?.close();
  await broker?.stop();
  rmSync(directory, { recursive: true, force: true });
});

afterEach(({ task }) => {
  if (task.result?.state === 'fail') console.error(server?.log().slice(-20_000));
});

const event = (user: unknown, more: object = {}) =>
  JSON.stringify({ user_id: user, kind: 'view', at: new Date().toISOString(), ...more });

async function clicks(): Promise<ShownStream> {
  return (await call(`${server?.http}/api/v1/streams/clicks`)).json() as ShownStream;
}

/** Of the topic's partitions. */
async function partitions() {
  return (await clicks()).partitions.filter(({ partition }) => partition !== 'push');
}

const sum = (counts: readonly number[]) => counts.reduce((all, count) => all + count, 0);
const eventsRead = async () => sum((await partitions()).map(({ events }) => events));

async function run(...args: string[]) {
  const { status, stdout, stderr } = await runCommand(args, { directory });
  expect({ status, stderr }, stderr).toMatchObject({ status: 0 });
  return stdout;
}

async function served(id: number) {
  const asked = ['--features', 'activity:n', '--entities', `{"user_id": ["${id}"]}`, '--json'];
  return JSON.parse(await run('get-online-features', ...asked)).columns.n.values[0];
}

it('goes on past events that are none, and shows each with what is wrong', async () => {
  const cutShort = event(1).slice(0, 20);
  const seconds = { at: Math.floor(Date.now() / 1000) };
  const bad = [cutShort, event('x'), event(1, { kind: 'clik' }), event(1, seconds), event(1, { at: null }), '', '[1]'];
  await producer.send('clicks', 0, [event(1), ...bad, event(1)]);
  await producer.send('clicks', 1, [event(2), event(null), event(2, { page: 'unknown to the source' })]);
  await expect.poll(eventsRead, { timeout: 60_000 }).toBe(5);
  expect(await partitions()).toMatchObject([
    { partition: '0', next: '9', end: '9', lag_records: 0, lag_seconds: 0, records: 9, events: 2, set_aside: bad.length },
    { partition: '1', next: '3', end: '3', lag_records: 0, lag_seconds: 0, records: 3, events: 3, set_aside: 0 },
  ]);
  expect(await served(1)).toBe('2');
  expect(await served(2)).toBe('2');
  const answer = await call(`${server?.http}/api/v1/streams/clicks/set-aside?partition=0`);
  const { total, events } = answer.json() as ShownSetAsideReport;
  expect(total).toBe(bad.length);
  const reasons = events.toReversed().map(({ offset, value, reason }) => [offset, value ?? '', reason] as const);
  expect(reasons.map(([offset, value]) => [offset, value])).toEqual(bad.map((value, at) => [String(at + 1), value]));
  const named = [/JSON/, /"x"/, /"clik"/, /seconds/, /at/, /./, /object/];
  for (const [at, [, , reason]] of reasons.entries()) expect(reason).toMatch(named[at] as RegExp);
  const { lag_records: lag } = JSON.parse(await run('describe', 'clicks', '--json')).rows[0];
  expect(lag).toBe(0);
});

it('counts what waits while no server reads it', async () => {
  await server?.stop();
  server = undefined;
  await producer.send('clicks', 1, [event(2), event(2)]);
  const { streams } = JSON.parse(await run('source', 'list', '--json')) as { streams: ShownStream[] };
  expect(streams[0]?.partitions.find(({ partition }) => partition === '1')).toMatchObject({
    ...{ next: '3', end: '5', lag_records: 2 },
    // Since when it waits nobody has seen who is there now.
    lag_seconds: null,
  });
  expect(await run('source', 'list')).toMatch(/clicks +1 +3 +2 +\?/);
  server = await startServer(directory);
  await expect.poll(() => served(2), { timeout: 60_000 }).toBe('4');
});

it('stands still where its log is lost, says the way out, and goes on by it', async () => {
  await broker.kill();
  rmSync(broker.directory, { recursive: true });
  mkdirSync(broker.directory);
  await broker.restart();
  await producer.createTopic('clicks', 2);
  await expect.poll(async () => (await clicks()).error, { timeout: 90_000 }).toContain('source reset clicks --from earliest');
  const page = (await call(`${server?.http}/metrics`)).text;
  expect(page).toContain('featherflight_stream_up{source="clicks"} 0\n');
  expect(await run('source', 'list')).toMatch(/clicks +0 +9 +\? +\? /);
  await producer.send('clicks', 0, [event(1), event(3)]);
  const there = ['--url', server?.url as string];
  const report = JSON.parse(await run('source', 'reset', 'clicks', '--from', 'earliest', '--json', ...there));
  expect(report).toMatchObject({
    source: 'clicks',
    partitions: [
      { partition: '0', before: '9', next: '0', new_log: true },
      { partition: '1', before: '5', next: '0', new_log: true },
    ],
    views: [{ view: 'activity', features: ['n'] }],
  });
  await expect.poll(() => served(3), { timeout: 60_000 }).toBe('1');
  expect(await served(1)).toBe('3');
  expect(await served(2)).toBe('4');
  await expect.poll(async () => (await clicks()).error).toBeNull();
});
