/** What Prometheus is told: counted in plain numbers on the way, and given its form only when somebody asks. */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { AuditCounts } from '../audit/audit.ts';
import { statusNames } from '../definitions/status.ts';
import type { OnlineAnswer } from '../online/retrieve/answer.ts';
import type { OnlineStore } from '../online/store.ts';
import type { DriftFeature } from '../validate/drift/report.ts';
import type { ViewFreshness } from '../validate/freshness.ts';
import type { FeatureHealth } from '../validate/health/watch.ts';
import type { ScheduledChecks } from '../validate/missed-checks.ts';
import type { ParityFeature } from '../validate/parity/report.ts';
import { createAlertMetrics, type WatchedAlerts } from './alert-metrics.ts';
import { createAuditMetrics } from './audit-metrics.ts';
import { createFreshnessMetrics } from './freshness-metrics.ts';
import { createHealthMetrics } from './health-metrics.ts';
import { createLogMetrics, type LogCounts } from './log-metrics.ts';
import { createReportMetrics } from './report-metrics.ts';
import type { ShownStream } from './stream-answers.ts';
import { createStreamMetrics } from './stream-metrics.ts';

export interface Metrics {
  /** A request that has been answered; `service` is empty where none was asked for. */
  countRequest(route: string, service: string, status: number, seconds: number): void;
  /** The values of an online answer. */
  countAnswer(answer: OnlineAnswer): void;
  /** The same store, whose round trips are counted. */
  measureStore(store: OnlineStore): OnlineStore;
  /** How far each view is materialized; asked for at each scrape. */
  watchViews(read: () => Promise<readonly ViewProgress[]>): void;
  /** How far each stream is; asked for at each scrape. */
  watchStreams(read: () => Promise<readonly ShownStream[]>): void;
  /** What was logged of what was served, undefined where nothing is; asked for at each scrape. */
  watchLog(read: () => Promise<LogCounts | undefined>): void;
  /** The last check of parity of each feature; asked for at each scrape. */
  watchParity(read: () => Promise<readonly ParityFeature[]>): void;
  /** The last check of drift of each feature; asked for at each scrape. */
  watchDrift(read: () => Promise<readonly DriftFeature[]>): void;
  /** Which scheduled checks could not be made last time; asked for at each scrape. */
  watchScheduled(read: () => Promise<ScheduledChecks>): void;
  /** What the last look at single features found; asked for at each scrape. */
  watchHealth(read: () => Promise<FeatureHealth>): void;
  /** How old what is served of views is; asked for at each scrape. */
  watchFreshness(read: () => Promise<readonly ViewFreshness[]>): void;
  /** What could not be written to the audit log; asked for at each scrape. */
  watchAudit(read: () => Promise<AuditCounts>): void;
  /** Alerts that fire; asked for at each scrape. */
  watchAlerts(read: () => Promise<WatchedAlerts>): void;
  readonly contentType: string;
  text(): Promise<string>;
}

export interface ViewProgress {
  readonly view: string;
  /** Up to when the view is materialized, in microseconds since the epoch. */
  readonly watermarkUs: bigint | undefined;
  /** The greatest event timestamp of its source. */
  readonly newestEventUs: bigint | undefined;
}

interface ViewCounts {
  readonly byStatus: number[];
  rowsFound: number;
  rowsMissed: number;
  defaults: number;
}

const requestBuckets = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.015, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const tripBuckets = [0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5];

/** Metrics of one process; nothing is shared with others made in it. */
export function createMetrics(): Metrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  const streams = createStreamMetrics(registry);
  const log = createLogMetrics(registry);
  const reports = createReportMetrics(registry);
  const health = createHealthMetrics(registry);
  const freshness = createFreshnessMetrics(registry);
  const alerts = createAlertMetrics(registry);
  const audit = createAuditMetrics(registry);
  const views = new Map<string, ViewCounts>();
  /** By view, then by feature. */
  const outOfRange = new Map<string, Map<string, number>>();
  let readViews: () => Promise<readonly ViewProgress[]> = async () => [];

  const requests = new Histogram({
    name: 'featherflight_http_request_seconds',
    help: 'Time from the first byte of a request to its answer',
    labelNames: ['route', 'service', 'status'],
    buckets: requestBuckets,
    registers,
  });
  const trips = new Histogram({
    name: 'featherflight_online_store_seconds',
    help: 'Time of one round trip to the online store',
    labelNames: ['operation', 'outcome'],
    buckets: tripBuckets,
    registers,
  });
  counterOf('featherflight_online_values_total', 'Feature values served, by status', ['view', 'status'], (counter) => {
    for (const [view, { byStatus }] of views)
      for (const [at, status] of statusNames.entries()) counter.inc({ view, status }, byStatus[at]);
  });
  counterOf('featherflight_online_defaults_total', 'Feature values that a default replaced', ['view'], (counter) => {
    for (const [view, { defaults }] of views) counter.inc({ view }, defaults);
  });
  counterOf(
    'featherflight_online_out_of_range_total',
    'Sums that are null for being outside their type',
    ['view', 'feature'],
    (counter) => {
      for (const [view, features] of outOfRange) for (const [feature, count] of features) counter.inc({ view, feature }, count);
    },
  );
  counterOf('featherflight_online_hits_total', 'Entities for which the view had a row', ['view'], (counter) => {
    for (const [view, { rowsFound }] of views) counter.inc({ view }, rowsFound);
  });
  counterOf('featherflight_online_misses_total', 'Entities for which the view had none', ['view'], (counter) => {
    for (const [view, { rowsMissed }] of views) counter.inc({ view }, rowsMissed);
  });
  progressOf(
    'featherflight_materialization_lag_seconds',
    'Time since the instant up to which a view is materialized',
    (each) => each.watermarkUs,
  );
  progressOf(
    'featherflight_view_source_age_seconds',
    "Time since the newest event of a view's source",
    (each) => each.newestEventUs,
  );

  function counterOf(name: string, help: string, labelNames: string[], fill: (counter: Counter) => void): void {
    new Counter({
      name,
      help,
      labelNames,
      registers,
      collect() {
        this.reset();
        fill(this);
      },
    });
  }

  function progressOf(name: string, help: string, instantOf: (progress: ViewProgress) => bigint | undefined): void {
    new Gauge({
      name,
      help,
      labelNames: ['view'],
      registers,
      async collect() {
        this.reset();
        // With the store away there is nothing to say of views, and everything else is still told.
        for (const progress of await readViews().catch(() => [])) {
          const us = instantOf(progress);
          if (us !== undefined) this.set({ view: progress.view }, Date.now() / 1000 - Number(us / 1000n) / 1000);
        }
      },
    });
  }

  function countsOf(view: string): ViewCounts {
    const known = views.get(view);
    if (known !== undefined) return known;
    const counts = { byStatus: statusNames.map(() => 0), rowsFound: 0, rowsMissed: 0, defaults: 0 };
    views.set(view, counts);
    return counts;
  }

  function countOutOfRange(view: string, feature: string, rows: number): void {
    const features = outOfRange.get(view) ?? new Map<string, number>();
    outOfRange.set(view, features);
    features.set(feature, (features.get(feature) ?? 0) + rows);
  }

  async function timed<T>(operation: string, work: () => Promise<T>): Promise<T> {
    const startedMs = performance.now();
    let outcome = 'failed';
    try {
      const result = await work();
      outcome = 'ok';
      return result;
    } finally {
      trips.observe({ operation, outcome }, (performance.now() - startedMs) / 1000);
    }
  }

  return {
    countRequest(route, service, status, seconds) {
      requests.observe({ route, service, status: String(status) }, seconds);
    },
    countAnswer({ columns, views: lookups, rows }) {
      for (const { view, found } of lookups) {
        const counts = countsOf(view);
        counts.rowsFound += found;
        counts.rowsMissed += rows - found;
      }
      for (const { view, feature, statuses, isDefault, outOfRange: rowsOutside } of columns) {
        if (rowsOutside > 0) countOutOfRange(view, feature, rowsOutside);
        const counts = countsOf(view);
        for (let row = 0; row < statuses.length; row++) {
          const status = statuses[row] as number;
          counts.byStatus[status] = (counts.byStatus[status] as number) + 1;
          counts.defaults += isDefault[row] as number;
        }
      }
    },
    measureStore: (store) => ({
      ...store,
      read: (keys, signal) => timed('read', () => store.read(keys, signal)),
      replace: (replacements, signal) => timed('replace', () => store.replace(replacements, signal)),
      check: (signal) => timed('check', () => store.check(signal)),
    }),
    watchViews(read) {
      readViews = read;
    },
    watchStreams: streams.watch,
    watchLog: log.watch,
    watchAudit: audit.watch,
    watchParity: reports.watchParity,
    watchDrift: reports.watchDrift,
    watchScheduled: reports.watchScheduled,
    watchHealth: health.watch,
    watchFreshness: freshness.watch,
    watchAlerts: alerts.watch,
    contentType: registry.contentType,
    text() {
      streams.begin();
      freshness.begin();
      return registry.metrics();
    },
  };
}
