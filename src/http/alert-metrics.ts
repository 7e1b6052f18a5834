/** What Prometheus is told of alerts: 1 while one fires, 0 once it did, and what became of messages. */
import { Counter, Gauge, type Registry } from 'prom-client';
import type { Alert } from '../validate/alerts/step.ts';
import type { WebhookCounts } from '../validate/alerts/webhook.ts';

export interface WatchedAlerts extends WebhookCounts {
  readonly firing: readonly Alert[];
}

export interface AlertMetrics {
  watch(read: () => Promise<WatchedAlerts>): void;
}

export function createAlertMetrics(registry: Registry): AlertMetrics {
  let read: () => Promise<WatchedAlerts | undefined> = async () => undefined;
  // Beside a worker that is gone everything else is still told.
  const facts = () => read().catch(() => undefined);
  const fired = new Map<string, Readonly<Record<string, string>>>();
  new Gauge({
    name: 'featherflight_alert_firing',
    help: 'Whether an alert of the config fires',
    labelNames: ['rule', 'severity', 'view', 'feature', 'source'],
    registers: [registry],
    async collect() {
      const found = await facts();
      // What fires beside a worker that is gone nobody knows.
      this.reset();
      if (found === undefined) return;
      for (const labels of fired.values()) this.set(labels, 0);
      for (const { id, rule, severity, labels } of found.firing) {
        const { view = '', feature = '', source = '' } = labels;
        fired.set(id, { rule, severity, view, feature, source });
        this.set({ rule, severity, view, feature, source }, 1);
      }
    },
  });
  new Counter({
    name: 'featherflight_alert_messages_total',
    help: 'Messages to the webhook: delivered, tries that failed, and those that were given up',
    labelNames: ['outcome'],
    registers: [registry],
    async collect() {
      const found = await facts();
      this.reset();
      if (found === undefined) return;
      for (const outcome of ['delivered', 'failed', 'dropped'] as const) this.inc({ outcome }, found[outcome]);
    },
  });
  return {
    watch(given) {
      read = given;
    },
  };
}
