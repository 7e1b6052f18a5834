/** What Prometheus is told of freshness: ages of views by two clocks, what they may be, and whether they are within it. */
import { Gauge, type Registry } from 'prom-client';
import { freshnessClocks, type ViewFreshness } from '../validate/freshness.ts';

export interface FreshnessMetrics {
  watch(read: () => Promise<readonly ViewFreshness[]>): void;
  /** A scrape begins: what it tells is asked for once. */
  begin(): void;
}

type Told = readonly (readonly [labels: Record<string, string>, value: number | null])[];

export function createFreshnessMetrics(registry: Registry): FreshnessMetrics {
  let read: () => Promise<readonly ViewFreshness[]> = async () => [];
  let scrape: Promise<readonly ViewFreshness[]> | undefined;
  // With the store away there is nothing to say of views, and everything else is still told.
  const found = () => {
    scrape ??= read().catch(() => []);
    return scrape;
  };

  function gauge(name: string, help: string, labelNames: string[], tell: (view: ViewFreshness) => Told): void {
    new Gauge({
      name: `featherflight_view_${name}`,
      help,
      labelNames,
      registers: [registry],
      async collect() {
        const views = await found();
        this.reset();
        for (const [labels, value] of views.flatMap(tell)) if (value !== null) this.set(labels, value);
      },
    });
  }

  gauge('freshness_seconds', 'How old what is served of a view is, by event time or by processing time', ['view', 'by'], (each) =>
    freshnessClocks.map((by) => [{ view: each.view, by }, each[by].seconds]),
  );
  gauge(
    'freshness_objective_seconds',
    'How old what is served of a view may be',
    ['view'],
    ({ view, objective_seconds: most }) => [[{ view }, most]],
  );
  gauge('freshness_missed', '1 while a view misses its objective, 0 while it is within it', ['view', 'by'], (each) =>
    freshnessClocks.map((by) => [{ view: each.view, by }, each[by].state === null ? null : Number(each[by].state !== 'FRESH')]),
  );
  return {
    watch(given) {
      read = given;
    },
    begin() {
      scrape = undefined;
    },
  };
}
