/** What Prometheus is told of alarms of single features: 1 while one is raised, 0 once it was. */
import { Gauge, type Registry } from 'prom-client';
import type { FeatureHealth } from '../validate/health/watch.ts';

export interface HealthMetrics {
  watch(read: () => Promise<FeatureHealth>): void;
}

export function createHealthMetrics(registry: Registry): HealthMetrics {
  let read: () => Promise<FeatureHealth | undefined> = async () => undefined;
  const raised = new Map<string, { readonly view: string; readonly feature: string; readonly alarm: string }>();
  new Gauge({
    name: 'featherflight_feature_alarm',
    help: 'Whether a feature is constant, all default, frozen, null or of unseen categories though it was not before',
    labelNames: ['view', 'feature', 'alarm'],
    registers: [registry],
    async collect() {
      // Beside a worker that is gone everything else is still told.
      const health = await read().catch(() => undefined);
      if (health === undefined) return;
      for (const labels of raised.values()) this.set(labels, 0);
      for (const { view, feature, alarm } of health.alarms) {
        const labels = { view, feature, alarm };
        raised.set(`${view}:${feature}:${alarm}`, labels);
        this.set(labels, 1);
      }
    },
  });
  return {
    watch(given) {
      read = given;
    },
  };
}
