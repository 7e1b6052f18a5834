import { eventSource, parquet } from 'featherflight';

// What users do, event by event: the past in files, and from now on by push. What is pushed is archived beside the files, so that
// training reads all that was served. To read a Kafka topic of JSON objects, import `kafka` too, and add
//   stream: kafka({ brokers: ['kafka-1:9092'], topic: 'clicks' }),
// with `tls: true` and `sasl: { mechanism: 'scram-sha-512', username: 'streamrec', password: env('KAFKA_PASSWORD') }` where it asks
// for them; for Redis Streams, import `env` and `redisStream`, and add
//   stream: redisStream({ url: env('CLICKS_REDIS_URL'), keys: ['clicks'] }),
// Where the stream still has events that are in the files too, begin behind them with `from: 'latest'`, or name an `eventId`.
export const clicks = eventSource('clicks', {
  history: parquet('data/clicks/*.parquet'),
  eventTimestamp: 'event_timestamp',
  lateness: '90m', // a session of 30 minutes is kept two hours: its gap and this
  columns: {
    user_id: 'int64',
    item_id: 'int64',
    event_type: { type: 'string', values: ['view', 'click', 'completion'] }, // 'complete' is refused, wherever it is written
    category: 'string',
    watch_seconds: 'float64',
  },
  description: 'What users did, event by event.',
  owner: 'data-platform',
});
