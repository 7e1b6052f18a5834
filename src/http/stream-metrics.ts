/** What Prometheus is told of event sources' streams: asked for once a scrape. */
import { Counter, Gauge, type Registry } from 'prom-client';
import type { ShownPartition, ShownProcess, ShownStream } from './stream-answers.ts';

export interface StreamMetrics {
  /** What is asked from then on. */
  watch(read: () => Promise<readonly ShownStream[]>): void;
  /** The next values that are asked for belong to a new scrape. */
  begin(): void;
}

type OfPartition = readonly [name: string, help: string, measure: (partition: ShownPartition) => number | null];
type OfProcess = readonly [name: string, help: string, measure: (process: ShownProcess) => number | null];

const partitionGauges: readonly OfPartition[] = [
  ['lag_records', 'Records of the log that are not applied yet', (each) => each.lag_records],
  [
    'lag_seconds',
    '0 where all is applied, else for how long at least the first record that is not has been seen waiting',
    (each) => each.lag_seconds,
  ],
  ['freshness_seconds', 'The age of the newest applied event', (each) => each.freshness_seconds],
];
const partitionCounters: readonly OfPartition[] = [
  ['records_total', 'Records read', (each) => each.records],
  ['events_total', 'Events that count', (each) => each.events],
  ['late_total', 'Events that came too late for serving, and count in training alone', (each) => each.late],
  ['set_aside_total', 'Events that count nowhere: malformed, invalid, or ahead of the clock', (each) => each.set_aside],
  ['duplicates_total', 'Events whose id had come before', (each) => each.duplicates],
];
const processCounters: readonly OfProcess[] = [
  ['applied_total', "Events added to views' states by this process", (each) => each.applied],
  ['too_late_total', 'Events whose state had been freed', (each) => each.too_late],
  ['erased_total', 'Events of erased entities', (each) => each.erased],
  ['batches_total', 'Batches applied by this process', (each) => each.batches],
  ['batch_seconds_total', 'Time that they took together', (each) => each.batch_seconds],
  ['oversized_states_total', 'States written that were above maxStateBytes', (each) => each.oversized_states],
  ['ignored_fields_total', 'Fields of events that the source does not declare', (each) => ignoredFields(each)],
];
const ignoredFields = (each: ShownProcess) =>
  each.ignored_fields.reduce((sum, { events }) => sum + events, each.other_ignored_fields);
const processGauges: readonly OfProcess[] = [
  ['last_batch_seconds', 'Time that the last batch took', (each) => each.last_batch?.seconds ?? null],
  ['largest_state_bytes', 'The largest state written since this process started', (each) => each.largest_state_bytes],
];

/** Registers them all; with the store or the log away their values are absent, and everything else is still told. */
export function createStreamMetrics(registry: Registry): StreamMetrics {
  let read: () => Promise<readonly ShownStream[]> = async () => [];
  let scrape: Promise<readonly ShownStream[]> | undefined;
  const samples = () => {
    scrape ??= read().catch(() => []);
    return scrape;
  };
  const ofPartition = ([, , measure]: OfPartition) => ({
    labelNames: ['source', 'partition'],
    list: ({ source, partitions }: ShownStream) =>
      partitions.map((each) => [{ source, partition: each.partition }, measure(each)] as const),
  });
  const ofProcess = ([, , measure]: OfProcess) => ({
    labelNames: ['source'],
    list: ({ source, since_start: process }: ShownStream) => [[{ source }, process === null ? null : measure(process)] as const],
  });
  const up = {
    labelNames: ['source'],
    list: ({ source, error, log_error: logError }: ShownStream) =>
      [[{ source }, error === null && logError === null ? 1 : 0]] as const,
  };

  const ofSource = {
    labelNames: ['source'],
    list: ({ source, spilled_states: spilled }: ShownStream) => [[{ source }, spilled]] as const,
  };

  function gauge(name: string, help: string, { labelNames, list }: Listed): void {
    new Gauge({
      name: `featherflight_stream_${name}`,
      help,
      labelNames,
      registers: [registry],
      async collect() {
        const found = (await samples()).flatMap(list);
        this.reset();
        for (const [labels, value] of found) if (value !== null) this.set(labels, value);
      },
    });
  }

  function counter(name: string, help: string, { labelNames, list }: Listed): void {
    new Counter({
      name: `featherflight_stream_${name}`,
      help,
      labelNames,
      registers: [registry],
      async collect() {
        const found = (await samples()).flatMap(list);
        this.reset();
        for (const [labels, value] of found) if (value !== null) this.inc(labels, value);
      },
    });
  }

  gauge('up', '1 while the stream is read, 0 while it stands still or its log cannot be reached', up);
  gauge('spilled_states', "States above maxStateBytes that stand beside their keys' values", ofSource);
  for (const each of partitionGauges) gauge(each[0], each[1], ofPartition(each));
  for (const each of partitionCounters) counter(each[0], each[1], ofPartition(each));
  for (const each of processCounters) counter(each[0], each[1], ofProcess(each));
  for (const each of processGauges) gauge(each[0], each[1], ofProcess(each));
  return {
    watch(given) {
      read = given;
    },
    begin() {
      scrape = undefined;
    },
  };
}

interface Listed {
  readonly labelNames: string[];
  list(sample: ShownStream): readonly (readonly [labels: Record<string, string>, value: number | null])[];
}
