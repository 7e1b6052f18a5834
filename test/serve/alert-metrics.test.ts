/** What fires is told to Prometheus while it is known, and not for longer. */
import { Registry } from 'prom-client';
import { expect, it } from 'vitest';
import { createAlertMetrics } from '../../src/http/alert-metrics.ts';

it('says nothing of alerts beside a worker that is away', async () => {
  const registry = new Registry();
  const metrics = createAlertMetrics(registry);
  const alert = {
    id: 'a',
    rule: 'parity',
    severity: 'critical',
    labels: { view: 'v' },
    text: '',
    sinceMs: 0,
    isFiring: true,
  } as const;
  let firing: readonly (typeof alert)[] | undefined = [alert];
  metrics.watch(async () => {
    if (firing === undefined) throw new Error('away');
    return { firing, delivered: 0, failed: 0, dropped: 0 };
  });
  const value = async () => (await registry.metrics()).match(/^featherflight_alert_firing\{.*\} (\d)$/m)?.[1];
  expect(await value()).toBe('1');
  firing = undefined;
  expect(await value()).toBeUndefined();
  firing = [];
  expect(await value()).toBe('0');
});
