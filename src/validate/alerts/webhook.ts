/** Messages on their way to a webhook: in order, again and again until they are taken, of which nobody waits for. */
import { hash } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { Logger } from '../../observe.ts';
import type { AlertNews } from './step.ts';

export interface WebhookOptions {
  readonly url: string;
  readonly secretHeader?: { readonly name: string; readonly value: string } | undefined;
  readonly project: string;
  readonly logger: Logger;
  /** What was not taken before a restart, the oldest first. */
  readonly waiting?: readonly AlertNews[];
  /** Told whenever what waits has changed. */
  onChange(): void;
  /** Messages that wait at most; the oldest go. Default 1000. */
  readonly most?: number;
  /** First and longest pause between tries; default 1 s and 5 min. */
  readonly pausesMs?: { readonly first: number; readonly longest: number };
  /** Default 10 s. */
  readonly timeoutMs?: number;
}

export interface WebhookCounts {
  readonly delivered: number;
  /** Tries that failed. */
  readonly failed: number;
  /** Messages that were given up: refused, or too many. */
  readonly dropped: number;
}

export interface Webhook {
  send(news: AlertNews): void;
  waiting(): readonly AlertNews[];
  counts(): WebhookCounts;
  /** Waits for nothing. */
  stop(): void;
}

export function openWebhook(options: WebhookOptions): Webhook {
  const { logger, onChange, most = 1000, pausesMs = { first: 1000, longest: 300_000 } } = options;
  const queue: AlertNews[] = [...(options.waiting ?? [])];
  const counts = { delivered: 0, failed: 0, dropped: 0 };
  const stopping = new AbortController();
  let isSending = false;

  async function drain(): Promise<void> {
    if (isSending) return;
    isSending = true;
    let pauseMs = pausesMs.first;
    for (let next = queue[0]; next !== undefined && !stopping.signal.aborted; next = queue[0]) {
      const outcome = await post(options, next, stopping.signal);
      if (stopping.signal.aborted) break;
      if (outcome === 'again') {
        counts.failed += 1;
        await pause(pauseMs, undefined, { signal: stopping.signal, ref: false }).catch(() => {});
        pauseMs = Math.min(pausesMs.longest, 2 * pauseMs);
        continue;
      }
      pauseMs = pausesMs.first;
      counts[outcome] += 1;
      if (queue[0] === next) queue.shift();
      onChange();
    }
    isSending = false;
  }

  void drain();
  return {
    send(news) {
      queue.push(news);
      if (queue.length > most) {
        queue.shift();
        counts.dropped += 1;
        logger.error({ waiting: most }, 'an alert was given up: the webhook takes none, and too many wait');
      }
      onChange();
      void drain();
    },
    waiting: () => queue,
    counts: () => ({ ...counts }),
    stop: () => stopping.abort(),
  };
}

/** What is refused for good is dropped, what may go well later is tried again. */
async function post(
  { url, secretHeader, project, logger, timeoutMs = 10_000 }: WebhookOptions,
  news: AlertNews,
  stopping: AbortSignal,
): Promise<'delivered' | 'dropped' | 'again'> {
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...(secretHeader && { [secretHeader.name]: secretHeader.value }) },
      body: JSON.stringify(describeNews(project, news)),
      redirect: 'error',
      signal: AbortSignal.any([stopping, AbortSignal.timeout(timeoutMs)]),
    });
    await response.body?.cancel();
    if (response.ok) return 'delivered';
    const isFinal = response.status >= 400 && response.status < 500 && ![408, 425, 429].includes(response.status);
    logger.warn(
      { status: response.status },
      isFinal ? 'the webhook refuses an alert: it is given up' : 'the webhook took no alert',
    );
    return isFinal ? 'dropped' : 'again';
  } catch (error) {
    if (!stopping.aborted) logger.warn({ error: String(error) }, 'the webhook was not reached; it is tried again');
    return 'again';
  }
}

/** The same for one alert from when it is found until it is resolved, and in every repeat: a receiver knows by it what it has had. */
function idOf(project: string, { id, sinceMs }: AlertNews['alert']): string {
  return hash('sha256', JSON.stringify([project, id, sinceMs]), 'hex').slice(0, 32);
}

/** As Slack takes it, with all members of the alert beside it for whoever else reads it. */
export function describeNews(project: string, { kind, alert }: AlertNews) {
  const { rule, severity, labels, text, sinceMs } = alert;
  const about = Object.entries(labels).map(([name, value]) => ({ title: name, value, short: true }));
  const headline = `${kind === 'firing' ? severity : 'resolved'}: ${rule} (${project})`;
  return {
    text: `${headline}: ${text}`,
    attachments: [{ color: kind === 'resolved' ? 'good' : severity === 'critical' ? 'danger' : 'warning', text, fields: about }],
    alert: {
      id: idOf(project, alert),
      status: kind,
      rule,
      severity,
      project,
      labels,
      text,
      since: new Date(sinceMs).toISOString(),
    },
  };
}
