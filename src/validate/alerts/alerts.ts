/** Alerts of a server: looked at every so often, told once, and remembered across restarts. */
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Logger } from '../../observe.ts';
import { type Alert, type AlertNews, type AlertRule, type Findings, stepAlerts } from './step.ts';
import type { Webhook, WebhookCounts } from './webhook.ts';

export interface AlertsOptions {
  readonly rules: readonly AlertRule[];
  /** What is wrong now. */
  look(): Promise<Findings>;
  /** The JSON file that they are remembered in. */
  readonly path: string;
  readonly logger: Logger;
  /** Opens where they are told; undefined: only the log. */
  readonly openWebhook: ((waiting: readonly AlertNews[], onChange: () => void) => Webhook) | undefined;
  nowMs?(): number;
}

export interface Alerts {
  /** Looks once. */
  check(): Promise<void>;
  firing(): readonly Alert[];
  /** Also those that wait for their time. */
  all(): readonly Alert[];
  /** When it looked last; undefined before that. */
  checkedMs(): number | undefined;
  counts(): WebhookCounts;
  /** Resolves when what is remembered is on the disk. */
  stop(): Promise<void>;
}

interface Remembered {
  readonly format: 1;
  readonly alerts: readonly Alert[];
  readonly waiting: readonly AlertNews[];
}

export async function openAlerts(options: AlertsOptions): Promise<Alerts> {
  const { rules, look, path, logger, nowMs = Date.now } = options;
  const remembered = await recall(path, logger);
  let { alerts } = remembered;
  let checkedMs: number | undefined;
  let saving: Promise<void> = Promise.resolve();
  /** Messages that are about to be sent. */
  let coming: readonly AlertNews[] = [];

  /** One write after another, each of what holds when it begins. */
  function save(): Promise<void> {
    saving = saving.then(async () => {
      const waiting = webhook === undefined ? [] : [...webhook.waiting(), ...coming];
      const text = JSON.stringify({ format: 1, alerts, waiting } satisfies Remembered);
      await mkdir(dirname(path), { recursive: true });
      await writeFile(`${path}.draft`, text, { flush: true });
      await rename(`${path}.draft`, path);
    });
    saving = saving.catch((error: unknown) => logger.error({ error: String(error) }, 'alerts could not be remembered'));
    return saving;
  }

  const webhook = options.openWebhook?.(remembered.waiting, () => void save());

  return {
    async check() {
      const step = stepAlerts(rules, alerts, await look(), nowMs());
      checkedMs = nowMs();
      const isChanged = JSON.stringify(step.alerts.map(comparable)) !== JSON.stringify(alerts.map(comparable));
      alerts = step.alerts;
      // Remembered with its messages before any is on its way: whoever is killed then sends the same again, and no other.
      coming = step.news;
      if (isChanged) await save();
      coming = [];
      for (const news of step.news) {
        const { rule, severity, labels, text } = news.alert;
        if (news.kind === 'firing') logger.error({ alert: rule, severity, ...labels }, `alert: ${text}`);
        else logger.info({ alert: rule, severity, ...labels }, 'an alert is resolved');
        webhook?.send(news);
      }
    },
    firing: () => alerts.filter(({ isFiring }) => isFiring),
    all: () => alerts,
    checkedMs: () => checkedMs,
    counts: () => webhook?.counts() ?? { delivered: 0, failed: 0, dropped: 0 },
    async stop() {
      webhook?.stop();
      await save();
    },
  };
}

/** Texts change with every look, and need no write. */
function comparable({ id, sinceMs, isFiring }: Alert) {
  return [id, sinceMs, isFiring];
}

async function recall(path: string, logger: Logger): Promise<Remembered> {
  const nothing: Remembered = { format: 1, alerts: [], waiting: [] };
  try {
    return { ...nothing, ...(JSON.parse(await readFile(path, 'utf8')) as Remembered) };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT')
      logger.warn({ error: String(error) }, 'earlier alerts could not be read');
    return nothing;
  }
}
