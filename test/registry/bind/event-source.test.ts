/** Event sources with any number of tables and a stream: what is bound of them, what their hashes depend on, and what is refused. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { count, csv, entity, env, eventSource, kafka, parquet, redisStream, streamFeatureView } from '../../../src/index.ts';
import type { SourceDocument } from '../../../src/registry/document.ts';
import { tablesOf } from '../../../src/registry/source-tables.ts';
import { bindDefinitions, problemsOf, type Tables } from '../bind-definitions.ts';

const tables: Tables = {
  'old.csv': { user_id: 'INTEGER', at: 'TIMESTAMP', kind: 'VARCHAR', note: 'VARCHAR' },
  'new.parquet': { at: 'TIMESTAMP WITH TIME ZONE', user_id: 'BIGINT', kind: 'VARCHAR' },
  'texts.parquet': { at: 'TIMESTAMP WITH TIME ZONE', user_id: 'VARCHAR' },
};
const given = { eventTimestamp: 'at', columns: { user_id: 'int64', kind: 'string' } } as const;
const topic = { brokers: ['127.0.0.1:9092'], topic: 'clicks' } as const;
const user = entity('user', { joinKeys: { user_id: 'int64' } });
const scratch = mkdtempSync(join(tmpdir(), 'event-source-'));
afterAll(() => rmSync(scratch, { recursive: true }));

async function bindSource(options: object): Promise<SourceDocument> {
  const { sources } = await bindDefinitions([eventSource('clicks', { ...given, ...options })], tables);
  return sources[0] as SourceDocument;
}

async function refusals(options: object): Promise<string[]> {
  return await problemsOf([eventSource('e', { ...given, ...options })], tables);
}

describe('the history of an event source', () => {
  it('is one table with the columns of its files', async () => {
    const source = await bindSource({ history: parquet('new.parquet') });
    expect(source.tables).toBeUndefined();
    expect(source.columns.map(({ name }) => name)).toEqual(['at', 'user_id', 'kind']);
    expect(tablesOf(source)).toEqual([{ ...source.table, columns: source.columns }]);
    expect((await bindSource({ history: [parquet('new.parquet')] })).columns).toEqual(source.columns);
  });

  it('is none: the columns are those that the source declares', async () => {
    for (const options of [{}, { history: [] }]) {
      const source = await bindSource(options);
      expect(source.table.paths).toEqual([]);
      expect(tablesOf(source)).toEqual([]);
      expect(source.columns).toEqual([
        { name: 'at', type: 'TIMESTAMP WITH TIME ZONE' },
        { name: 'user_id', type: 'BIGINT' },
        { name: 'kind', type: 'VARCHAR' },
      ]);
    }
  });

  it('is several tables, each with its own columns', async () => {
    const source = await bindSource({ history: [csv('old.csv'), parquet('new.parquet')], timezone: 'UTC' });
    expect(source.table.paths).toEqual(['old.csv']);
    expect(tablesOf(source).map(({ format, paths, columns }) => [format, paths, columns[0]?.type])).toEqual([
      ['csv', ['old.csv'], 'INTEGER'],
      ['parquet', ['new.parquet'], 'TIMESTAMP WITH TIME ZONE'],
    ]);
    expect(source.columns.map(({ type }) => type)).toEqual(['TIMESTAMP WITH TIME ZONE', 'BIGINT', 'VARCHAR']);
  });

  it('is checked table by table', async () => {
    expect(await refusals({ history: [parquet('new.parquet'), parquet('texts.parquet'), csv('old.csv')] })).toEqual([
      'source "e": eventTimestamp is column "at", a TIMESTAMP without a zone; say whose time it is with timezone, such as timezone: "UTC"',
      'source "e": column "user_id" is int64, and in the history it is VARCHAR; declare string',
      'source "e": column "kind" is not in "texts.parquet", which has at, user_id',
    ]);
    expect(await refusals({ history: [parquet('new.parquet'), 'new.parquet'] })).toEqual([
      'source "e": history is made by parquet(…), csv(…) or json(…)',
    ]);
  });
});

describe('a stream', () => {
  it('becomes a document with its defaults, and with names instead of secrets', async () => {
    expect((await bindSource({ stream: kafka(topic) })).stream).toEqual({
      kind: 'kafka',
      ...topic,
      format: 'json',
      from: 'earliest',
    });
    const sasl = { mechanism: 'scram-sha-512', username: env('USER_NAME'), password: env('PASSWORD') } as const;
    const full = kafka({ ...topic, sasl, tls: { caFile: 'ca.pem' }, from: 'latest', format: 'arrow', groupId: 'mine' });
    expect((await bindSource({ stream: full })).stream).toEqual({
      ...{ kind: 'kafka', ...topic, format: 'arrow', from: 'latest', groupId: 'mine', tls: { caFile: 'ca.pem' } },
      sasl: { mechanism: 'scram-sha-512', username: { env: 'USER_NAME' }, password: { env: 'PASSWORD' } },
    });
    const apart = kafka({ ...topic, groupId: env('KAFKA_GROUP') });
    expect((await bindSource({ stream: apart })).stream).toMatchObject({ groupId: { env: 'KAFKA_GROUP' } });
    const redis = redisStream({ url: env('REDIS_URL'), keys: ['a', 'b', 'a'], tls: true });
    expect((await bindSource({ stream: redis })).stream).toEqual({
      ...{ kind: 'redisStream', url: { env: 'REDIS_URL' }, keys: ['a', 'b'], tls: {}, format: 'json', from: 'earliest' },
    });
  });

  it('takes the Avro schema as it is at apply', async () => {
    const path = join(scratch, 'click.avsc');
    writeFileSync(path, '{\n  "type": "record", "name": "click",\n  "fields": [] }\n');
    const { stream } = await bindSource({ stream: kafka({ ...topic, format: { avro: path } }) });
    expect(stream?.format).toEqual({ avro: path, schema: '{"type":"record","name":"click","fields":[]}' });
    const framed = { avro: path, framing: 'confluent', schemaId: 7 } as const;
    expect((await bindSource({ stream: kafka({ ...topic, format: framed }) })).stream?.format).toEqual({
      ...framed,
      schema: '{"type":"record","name":"click","fields":[]}',
    });
    const wrong = (options: object) => refusals({ stream: kafka({ ...topic, format: { avro: path, ...options } as never }) });
    expect(await wrong({ framing: 'x' })).toEqual([expect.stringMatching(/framing is "confluent", or left out .*, not "x"$/)]);
    expect(await wrong({ schemaId: 7 })).toEqual([expect.stringMatching(/schemaId is a schema's number .*, beside framing/)]);
    writeFileSync(path, '{ "type": ');
    const [problem] = await refusals({ stream: kafka({ ...topic, format: { avro: path } }) });
    expect(problem).toContain(`source "e": stream: the Avro schema "${path}" is no JSON: `);
  });

  it('changes no hash, and neither do archive and maxStateBytes; every table of the history does', async () => {
    const hashOf = async (options: object) => {
      const source = eventSource('clicks', { ...given, ...options });
      const features = { f: count({ window: '7d' }) };
      const view = streamFeatureView('activity', { entities: [user], source, features });
      return (await bindDefinitions([user, source, view], tables)).views[0]?.features[0]?.hash;
    };
    const history = parquet('new.parquet');
    const plain = await hashOf({ history });
    expect(await hashOf({ history: [history], stream: kafka(topic), archive: false, maxStateBytes: 4096 })).toBe(plain);
    const hashes = [
      plain,
      await hashOf({}),
      await hashOf({ history: [history, history] }),
      await hashOf({ history: [history, csv('old.csv')], timezone: 'UTC' }),
      await hashOf({ history: [history, csv('old.csv', { delimiter: ';' })], timezone: 'UTC' }),
    ];
    expect(new Set(hashes).size).toBe(hashes.length);
  });
});

describe('refused is', () => {
  const loose = (options: object) => ({ stream: kafka({ ...topic, ...options } as never) });
  const looseRedis = (options: object) => ({ stream: redisStream({ url: 'redis://h', keys: ['a'], ...options } as never) });
  const sasl = { mechanism: 'plain', username: 'me', password: env('P') };
  it.each<[object, string]>([
    [{ stream: { brokers: ['a:1'] } }, 'stream is made by kafka(…) or redisStream(…)'],
    [loose({ brokrs: [] }), 'stream: "brokrs" is no option; did you mean "brokers"?'],
    [loose({ brokers: [] }), 'stream: brokers is a list of one or more, such as ["127.0.0.1:9092"]'],
    [loose({ brokers: ['kafka'] }), 'stream: broker "kafka" is no address; write HOST:PORT, such as "127.0.0.1:9092"'],
    [
      loose({ brokers: ['kafka:99999'] }),
      'stream: broker "kafka:99999" is no address; write HOST:PORT, such as "127.0.0.1:9092"',
    ],
    [
      loose({ brokers: ['ssl://kafka:9093'] }),
      'stream: broker "ssl://kafka:9093" is an address without a protocol, such as "127.0.0.1:9092"; for TLS write tls: true',
    ],
    [
      loose({ topic: 'a topic' }),
      'stream: topic is a name of letters, digits, ".", "_" and "-", at most 249 of them, not "a topic"',
    ],
    [
      loose({ topic: undefined }),
      'stream: topic is a name of letters, digits, ".", "_" and "-", at most 249 of them, not left out',
    ],
    [loose({ from: 'end' }), 'stream: from is "earliest" or "latest", not "end"'],
    [
      loose({ format: 'jsn' }),
      'stream: format is "json", "arrow" or { avro: "schemas/event.avsc" }, not "jsn"; did you mean "json"?',
    ],
    [
      loose({ format: { avro: 'nowhere.avsc' } }),
      'stream: the Avro schema "nowhere.avsc" cannot be read; name a file (.avsc) relative to the repository',
    ],
    [loose({ groupId: '' }), 'stream: groupId is a name or env("KAFKA_GROUP")'],
    [
      loose({ sasl: { ...sasl, mechanism: 'scram-sha-255' } }),
      'stream: sasl: mechanism is one of plain, scram-sha-256, scram-sha-512, not "scram-sha-255"; did you mean "scram-sha-256"?',
    ],
    [
      loose({ sasl: { ...sasl, password: 'hunter2' } }),
      'stream: sasl: a password would be stored with the definitions; write password: env("KAFKA_PASSWORD")',
    ],
    [
      loose({ sasl: { ...sasl, password: env('not a name') } }),
      'stream: sasl: password: env(…) takes the name of an environment variable, not "not a name"',
    ],
    [loose({ sasl: { ...sasl, username: '' } }), 'stream: sasl: username is a name or env("KAFKA_USER")'],
    [loose({ sasl: 'plain' }), 'stream: sasl is { mechanism: "scram-sha-256", username: "…", password: env("KAFKA_PASSWORD") }'],
    [loose({ tls: 'yes' }), 'stream: tls is true, or { caFile: "ca.pem", certFile: "client.pem", keyFile: "client.key" }'],
    [loose({ tls: { certFile: 'a.pem' } }), 'stream: tls: certFile and keyFile come together: a certificate and its key'],
    [
      loose({ tls: { caFile: '-----BEGIN CERTIFICATE-----' } }),
      'stream: tls: caFile is the path of a PEM file, and not what stands in it',
    ],
    [looseRedis({ key: 'a' }), 'stream: "key" is no option; did you mean "keys"?'],
    [looseRedis({ keys: 'a' }), 'stream: keys is a list of one or more, such as ["clicks"]'],
    [looseRedis({ url: 'h:6379' }), 'stream: url is such as "redis://HOST:6379/0" or "rediss://HOST:6379", or env("REDIS_URL")'],
    [
      looseRedis({ url: 'redis://:hunter2@h' }),
      'stream: url holds a password, which would be stored with the definitions; write url: env("REDIS_URL")',
    ],
    [looseRedis({ tls: true }), 'stream: tls is for a URL that begins with rediss://'],
    [{ archive: true }, 'archive is false, or left out where events are to be kept'],
    [{ maxStateBytes: 10 }, 'maxStateBytes is a whole number of bytes from 1024 on, such as 1048576'],
    [{ strean: 1 }, '"strean" is no option; did you mean "stream"?'],
  ])('%#', async (options, message) => {
    expect(await refusals(options)).toEqual([`source "e": ${message}`]);
  });

  it('a source that keeps no event, and no message holds a secret', async () => {
    expect(await refusals({ archive: false })).toEqual([
      'source "e" keeps no event for training: give it a history, or leave archive: false out',
    ]);
    const texts = await refusals({ stream: kafka({ ...topic, sasl: { ...sasl, password: 'hunter2' } } as never) });
    expect(texts.join(' ')).not.toContain('hunter2');
  });
});
