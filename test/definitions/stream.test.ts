/** Streams as definitions: frozen values that say where events come from, and secrets by name. */
import { expect, it } from 'vitest';
import { env } from '../../src/definitions/env.ts';
import { eventSource } from '../../src/definitions/event-source.ts';
import { kafka, redisStream } from '../../src/definitions/stream.ts';
import { parquet } from '../../src/definitions/table.ts';

it('a stream keeps its options and copies them', () => {
  const brokers = ['127.0.0.1:9092'];
  const stream = kafka({ brokers, topic: 'clicks', sasl: { mechanism: 'plain', username: 'me', password: env('SECRET') } });
  brokers.push('127.0.0.1:9093');
  expect(stream).toEqual({
    kind: 'kafka',
    brokers: ['127.0.0.1:9092'],
    topic: 'clicks',
    sasl: { mechanism: 'plain', username: 'me', password: { kind: 'env', variable: 'SECRET' } },
  });
  expect(Object.isFrozen(stream) && Object.isFrozen(stream.brokers) && Object.isFrozen(stream.sasl)).toBe(true);
  expect(redisStream({ url: 'redis://localhost', keys: ['a'] })).toEqual({
    kind: 'redisStream',
    url: 'redis://localhost',
    keys: ['a'],
  });
});

it('an event source may have no history, one table or several, and a stream', () => {
  const columns = { user_id: 'int64' } as const;
  const stream = redisStream({ url: env('URL'), keys: ['a', 'b'] });
  const none = eventSource('none', { stream, eventTimestamp: 'at', columns });
  const several = eventSource('several', {
    history: [parquet('a'), parquet('b')],
    archive: false,
    eventTimestamp: 'at',
    columns,
  });
  expect(none.history).toBeUndefined();
  expect(none.stream).toBe(stream);
  expect(several.history).toHaveLength(2);
});

it('a literal password does not type-check', () => {
  // @ts-expect-error -- a password is named by env, and not written
  kafka({ brokers: ['a:1'], topic: 't', sasl: { mechanism: 'plain', username: 'me', password: 'secret' } });
  // @ts-expect-error -- there is no such format
  redisStream({ url: 'redis://localhost', keys: ['a'], format: 'xml' });
});
