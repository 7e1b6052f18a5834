/** The alerts of a server: what its own parts know to be wrong, by the rules of its config. */
import { join } from 'node:path';
import type { Config } from '../config.ts';
import { parseDurationUs } from '../definitions/duration.ts';
import type { ShownStream } from '../http/stream-answers.ts';
import type { Logger } from '../observe.ts';
import type { RegistryDocument } from '../registry/document.ts';
import { onDemandViewsOf } from '../registry/references.ts';
import { type Alerts, openAlerts } from '../validate/alerts/alerts.ts';
import { createFailingFeatures } from '../validate/alerts/failing-features.ts';
import { noAlerts, type ShownAlerts, showAlerts } from '../validate/alerts/show.ts';
import { findSilentRules } from '../validate/alerts/silent-rules.ts';
import type { Alert, AlertRule, Finding, Findings } from '../validate/alerts/step.ts';
import { openWebhook, type WebhookCounts } from '../validate/alerts/webhook.ts';
import { explainFreshness, freshnessClocks, type ViewFreshness } from '../validate/freshness.ts';
import type { FeatureHealth } from '../validate/health/watch.ts';
import type { Reports } from '../validate/reports.ts';
import { createMissedLooks, type Lack, type MissedLooks } from './missed-looks.ts';
import type { StreamStatus } from './stream-status.ts';

export interface AlertParts {
  readonly config: Pick<Config, 'alerts' | 'logging' | 'project' | 'state'>;
  readonly logger: Logger;
  registry(): RegistryDocument;
  health(): FeatureHealth;
  readonly streams: StreamStatus;
  freshness(): Promise<readonly ViewFreshness[]>;
  readonly reports: Pick<Reports, 'files'>;
}

/** As it goes to metrics. */
export interface AlertFacts extends WebhookCounts {
  readonly firing: readonly Alert[];
}

export interface RunningAlerts {
  facts(): AlertFacts;
  show(): ShownAlerts;
  stop(): Promise<void>;
}

export async function startAlerts(parts: AlertParts): Promise<RunningAlerts> {
  const { config, logger } = parts;
  const { alerts: section, project, state } = config;
  if (section === undefined) return nothing;
  const { webhook } = section;
  const missed = createMissedLooks(logger);
  const alerts = await openAlerts({
    rules: section.rules.map((rule) => ({ ...rule, forMs: msOf(rule.for) })),
    look: createLook(parts, missed),
    path: join(state, 'alerts.json'),
    logger,
    openWebhook: webhook && ((waiting, onChange) => openWebhook({ ...webhook, project, logger, waiting, onChange })),
  });
  const stopLooking = lookEvery(msOf(section.every), alerts, logger);
  return {
    facts: () => ({ ...alerts.counts(), firing: alerts.firing() }),
    show: () => showAlerts(section.rules, alerts, missed.list()),
    async stop() {
      await stopLooking();
      await alerts.stop();
    },
  };
}

/** Where the config has no rule. */
const nothing: RunningAlerts = {
  facts: () => ({ firing: [], delivered: 0, failed: 0, dropped: 0 }),
  show: () => noAlerts,
  stop: async () => {},
};

function lookEvery(everyMs: number, alerts: Alerts, logger: Logger): () => Promise<void> {
  let looking: Promise<void> | undefined;
  const timer = setInterval(() => {
    looking ??= alerts
      .check()
      .catch((error: unknown) =>
        logger.error({ error: String(error) }, 'alerts could not be looked at; the next look tries again'),
      )
      .finally(() => {
        looking = undefined;
      });
  }, everyMs);
  return async () => {
    clearInterval(timer);
    await looking;
  };
}

/** What cannot be looked at now is left out: its alerts stay. */
function createLook(parts: AlertParts, missed: MissedLooks): () => Promise<Findings> {
  const { config, registry, health, streams, freshness, reports } = parts;
  const warnOfSilence = createWarning(parts);
  const kinds = new Set(config.alerts?.rules.map(({ when }) => when));
  const ask = async <T>(kind: AlertRule['when'], read: () => Promise<T>, lacking?: (found: T) => Lack | undefined) =>
    kinds.has(kind) ? await missed.ask(kind, read, lacking) : undefined;
  const isDefined = (view: string, feature: string) =>
    [...registry().views, ...onDemandViewsOf(registry())].some(
      ({ name, features }) => name === view && features.some((one) => one.name === feature),
    );
  const parity = createFailingFeatures({ kind: 'parity', reports, isDefined });
  const drift = createFailingFeatures({ kind: 'drift', reports, isDefined });
  return async () => {
    warnOfSilence();
    const { checked_at: checked, alarms } = health();
    return {
      // Before the first look nothing is known of features.
      feature: checked === null ? undefined : alarms.map(ofFeature),
      parity: await ask('parity', parity.read),
      drift: await ask('drift', drift.read),
      lag: await ask('lag', async () => (await streams.read()).flatMap((stream) => ofStream(stream, streams.isOlder))),
      freshness: (await ask('freshness', freshness, lackOf))?.flatMap(ofView),
    };
  };
}

/** Warns of rules that can find nothing, once for each version of the definitions. */
function createWarning({ config, registry, logger }: AlertParts): () => void {
  let looked: number | undefined;
  return () => {
    const { version } = registry();
    if (version === looked || version === 0) return;
    looked = version;
    for (const line of findSilentRules(config.alerts?.rules ?? [], registry(), config.logging !== undefined))
      logger.warn({}, line);
  };
}

function ofFeature({ view, feature, alarm, text }: FeatureHealth['alarms'][number]): Finding {
  return { when: 'feature', labels: { view, feature, alarm }, text };
}

/** Views that have an objective, and whose stream could not be looked at. */
function lackOf(found: readonly ViewFreshness[]): Lack | undefined {
  const lacking = found.filter(({ error, objective }) => error !== null && objective !== null);
  const [first] = lacking;
  return first && { error: first.error as string, views: lacking.map(({ view }) => view) };
}

/** One for each clock by which the view misses its objective. */
function ofView(found: ViewFreshness): readonly Finding[] {
  if (found.error !== null) return [{ when: 'freshness', labels: { view: found.view }, text: '', isUnknown: true }];
  return freshnessClocks.flatMap((by) => {
    const text = explainFreshness(found, by);
    return text === undefined ? [] : [{ when: 'freshness' as const, labels: { view: found.view, by }, text }];
  });
}

/** Of partitions that cannot be judged, such as while the log is away, nothing is known. */
export function ofStream(
  { source, partitions, log_error: logError }: ShownStream,
  isOlder: StreamStatus['isOlder'],
): readonly Finding[] {
  const unknown = { when: 'lag' as const, text: '', isUnknown: true };
  const found = partitions.flatMap(({ partition, end, lag_seconds: seconds }): readonly Finding[] => {
    const labels = { source, partition };
    // One that its log does not have any more is gone.
    if (seconds === null) return end === null && logError === null ? [] : [{ ...unknown, labels }];
    const isAtLeast = isOlder(source, partition);
    const text = `records have waited for ${isAtLeast ? 'at least ' : ''}${seconds.toFixed(0)} s`;
    return [{ when: 'lag', labels, seconds, isAtLeast, text }];
  });
  // A log that is away does not list what nothing was applied of.
  return logError === null ? found : [...found, { ...unknown, labels: { source } }];
}

function msOf(duration: string): number {
  return Number(parseDurationUs(duration as never) / 1000n);
}
