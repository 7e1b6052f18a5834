/** Events of a third party's producer with fields that the source does not declare: they count, and the fields are told of everywhere. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { ShownStream } from '../../../src/http/stream-answers.ts';
import { runCommand } from '../../cli/run-command.ts';
import { call, post } from '../../support/http-client.ts';
import { type Broker, type KafkaProducer, startBroker, startProducer } from '../../support/start-broker.ts';
import { startPython } from '../../support/start-python.ts';
import { applyRepository, type ServerProcess, startServer } from '../../support/start-server.ts';

let broker: Broker;
let producer: KafkaProducer;
let directory: string;
let server: ServerProcess;

const definitionsAt = (address: string) => `
import { count, entity, eventSource, kafka, streamFeatureView } from 'featherflight';
export const user = entity('user', { joinKeys: { user_id: 'int64' } });
export const clicks = eventSource('clicks', {
  stream: kafka({ brokers: ['${address}'], topic: 'clicks' }), eventTimestamp: 'at',
  columns: { user_id: 'int64', event_type: { type: 'string', values: ['view', 'click'] } },
});
export const activity = streamFeatureView('activity', {
  entities: [user], source: clicks, features: { n: count({ window: '7d' }) },
});
`;

beforeAll(async () => {
  broker = await startBroker('noida');
  producer = startProducer(broker.address);
  await producer.createTopic('clicks', 2);
  directory = mkdtempSync(join(tmpdir(), 'featherflight-ignored-'));
  mkdirSync(join(directory, 'features'));
  writeFileSync(join(directory, 'featherflight.config.ts'), `export default { project: 'ignored_fields' };\n`);
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

const event = (more: object = {}) => JSON.stringify({ user_id: 1, event_type: 'view', at: new Date().toISOString(), ...more });

async function clicks(): Promise<ShownStream> {
  return (await call(`${server.http}/api/v1/streams/clicks`)).json() as ShownStream;
}

const eventsRead = async () => (await clicks()).partitions.reduce((sum, { events }) => sum + events, 0);

async function list(...args: string[]): Promise<string> {
  const { status, stdout, stderr } = await runCommand(['source', 'list', ...args], { directory });
  expect({ status, stderr }, stderr).toMatchObject({ status: 0 });
  return stdout;
}

it('rule 6.1: a schema that changes in the middle is seen at once, and its events count', async () => {
  await producer.send('clicks', 0, [event(), event()]);
  await expect.poll(eventsRead, { timeout: 60_000 }).toBe(2);
  expect((await clicks()).since_start).toMatchObject({ ignored_fields: [], other_ignored_fields: 0 });
  expect(await list('--url', server.url)).not.toContain('ignored');
  const renamed = event({ event_type: undefined, event_typ: 'click' });
  await producer.send('clicks', 0, [renamed, event({ campaign_name: null })]);
  await producer.send('clicks', 1, [event(), renamed]);
  await expect.poll(eventsRead, { timeout: 60_000 }).toBe(6);
  const expected = {
    ignored_fields: [
      {
        name: 'event_typ',
        events: 2,
        partition: expect.stringMatching(/^[01]$/),
        offset: expect.any(String),
        did_you_mean: 'event_type',
      },
      { name: 'campaign_name', events: 1, partition: '0', offset: '3', did_you_mean: null },
    ],
    other_ignored_fields: 0,
  };
  const { since_start: since } = await clicks();
  expect(since).toMatchObject(expected);
  const { partition, offset } = since?.ignored_fields[0] ?? {};
  expect(offset).toBe(partition === '0' ? '2' : '1');
  const { text } = await call(`${server.http}/metrics`);
  expect(text).toContain('featherflight_stream_ignored_fields_total{source="clicks"} 3\n');
});

it('the command line and Python tell of them, and pushes refuse them as before', async () => {
  const { streams } = JSON.parse(await list('--json', '--url', server.url)) as { streams: ShownStream[] };
  expect(streams[0]?.since_start?.ignored_fields.map(({ name, events }) => [name, events])).toEqual([
    ['event_typ', 2],
    ['campaign_name', 1],
  ]);
  const table = await list('--url', server.url);
  expect(table).toContain('clicks: ignored fields: event_typ (2, did you mean "event_type"?),');
  expect(table).toContain('campaign_name (1)\n');
  expect(table.split('\n').every((line) => line.length <= 80)).toBe(true);
  const prelude = fileURLToPath(new URL('../client.py', import.meta.url));
  const python = startPython(prelude, { FEATHERFLIGHT_URL: server.url });
  try {
    const rows = await python.run('[row["ignored_fields"] for row in store.streams() if row["partition"] != "push"]');
    expect(rows).toEqual([
      { event_typ: 2, campaign_name: 1 },
      { event_typ: 2, campaign_name: 1 },
    ]);
  } finally {
    await python.kill();
  }
  const rows = { user_id: [1], event_typ: ['view'], at: [new Date().toISOString()] };
  const refused = await post(`${server.http}/api/v1/push`, { source: 'clicks', rows });
  expect(refused.json()).toMatchObject({ error: { code: 'INVALID_ARGUMENT', message: expect.stringContaining('"event_typ"') } });
});
