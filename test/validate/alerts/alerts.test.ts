/** Alerts fire once and resolve once, across restarts, whatever a webhook on this machine does with them. */
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, expect, it } from 'vitest';
import { silentLogger } from '../../../src/observe.ts';
import { type Alerts, openAlerts } from '../../../src/validate/alerts/alerts.ts';
import { type Alert, type AlertRule, type Finding, type Findings, stepAlerts } from '../../../src/validate/alerts/step.ts';
import { openWebhook } from '../../../src/validate/alerts/webhook.ts';
import { startWebhook, type WebhookReceiver } from '../../support/webhook-receiver.ts';

const directory = mkdtempSync(join(tmpdir(), 'alerts-'));
const closing: (() => unknown)[] = [() => rmSync(directory, { recursive: true, force: true })];
afterEach(async () => {
  for (const close of closing.splice(1).reverse()) await close();
});

const rule = (more: Partial<AlertRule> = {}): AlertRule => ({
  ...{ when: 'feature', above: 60, forMs: 0, severity: 'critical' },
  ...more,
});
const constant: Finding = {
  when: 'feature',
  labels: { view: 'v', feature: 'f', alarm: 'constant' },
  text: 'all 90 values are 0',
};

async function receive(): Promise<WebhookReceiver> {
  const receiver = await startWebhook();
  closing.push(receiver.stop);
  return receiver;
}

let files = 0;
const newPath = () => join(directory, `alerts-${files++}.json`);

async function open(
  url: string,
  path: string,
  found: { now: readonly Finding[] },
  more: { most?: number } = {},
): Promise<Alerts> {
  const alerts = await openAlerts({
    rules: [rule()],
    look: async () => ({ feature: found.now }),
    path,
    logger: silentLogger,
    openWebhook: (waiting, onChange) =>
      openWebhook({
        ...{ url, waiting, onChange, project: 'shop', logger: silentLogger, timeoutMs: 5000 },
        ...{ secretHeader: { name: 'x-secret', value: 'hidden' }, pausesMs: { first: 10, longest: 40 }, ...more },
      }),
  });
  closing.push(() => alerts.stop());
  return alerts;
}

it('tells once that it fires and once that it is resolved, with the secret, as Slack takes it', async () => {
  const receiver = await receive();
  const found = { now: [constant] };
  const alerts = await open(receiver.url, newPath(), found);
  for (let look = 0; look < 5; look++) await alerts.check();
  await expect.poll(() => receiver.messages.length).toBe(1);
  expect(receiver.messages[0]).toMatchObject({
    text: 'critical: feature (shop): all 90 values are 0',
    attachments: [{ color: 'danger', fields: [{ title: 'view', value: 'v' }, {}, {}] }],
    alert: { status: 'firing', labels: constant.labels },
  });
  expect(receiver.secrets).toEqual(['hidden']);
  expect(alerts.firing()).toHaveLength(1);
  found.now = [];
  for (let look = 0; look < 5; look++) await alerts.check();
  await expect.poll(() => receiver.messages.map(({ alert }) => alert.status)).toEqual(['firing', 'resolved']);
  expect(alerts.firing()).toEqual([]);
});

it('knows after a restart what it told, and tells what it did not', async () => {
  const receiver = await receive();
  const [found, path] = [{ now: [constant] }, newPath()];
  receiver.answer = (response) => void response.writeHead(503).end();
  const first = await open(receiver.url, path, found);
  await first.check();
  await expect.poll(() => first.counts().failed).toBeGreaterThan(1);
  await first.stop();
  receiver.answer = (response) => void response.end();
  const second = await open(receiver.url, path, found);
  await second.check();
  await expect.poll(() => receiver.messages.length).toBe(1);
  await second.stop();
  const third = await open(receiver.url, path, found);
  await third.check();
  found.now = [];
  await third.check();
  await expect.poll(() => receiver.messages.map(({ alert }) => alert.status)).toEqual(['firing', 'resolved']);
});

it('waits for no webhook: slow, gone or refusing, looks go on, and what waits is bounded', async () => {
  const receiver = await receive();
  receiver.answer = () => {};
  const found = { now: [constant] };
  const alerts = await open(receiver.url, newPath(), found, { most: 3 });
  const started = performance.now();
  for (let look = 0; look < 20; look++) {
    found.now = look % 2 === 0 ? [constant] : [];
    await alerts.check();
  }
  expect(performance.now() - started).toBeLessThan(5000);
  expect(alerts.counts()).toMatchObject({ delivered: 0, dropped: 17 });
  receiver.answer = (response) => void response.end();
  await expect.poll(() => receiver.messages.length).toBe(3);
  receiver.answer = (response) => void response.writeHead(400).end();
  found.now = [constant];
  await alerts.check();
  await expect.poll(() => alerts.counts().dropped).toBe(18);
});

it('repeats itself after a kill under the id that it had, and a new alert has another', async () => {
  const receiver = await receive();
  const [found, path] = [{ now: [constant] }, newPath()];
  const before = await open(receiver.url, path, found);
  receiver.answer = (response) => {
    // As it stands on the disk while the message is on its way.
    copyFileSync(path, `${path}.killed`);
    response.end();
  };
  await before.check();
  await expect.poll(() => receiver.messages.length).toBe(1);
  await before.stop();
  receiver.answer = (response) => void response.end();
  const after = await open(receiver.url, `${path}.killed`, found);
  await after.check();
  await expect.poll(() => receiver.messages.length).toBe(2);
  found.now = [];
  await after.check();
  found.now = [constant];
  await after.check();
  await expect.poll(() => receiver.messages.length).toBe(4);
  const [sent, repeated, resolved, again] = receiver.messages.map(({ alert }) => [alert.status, alert.id]);
  expect(sent?.[1]).toMatch(/^[0-9a-f]{32}$/);
  expect(repeated).toEqual(sent);
  expect(resolved).toEqual(['resolved', sent?.[1]]);
  expect(again?.[1]).not.toBe(sent?.[1]);
});

it('fires after its time, and not for what is over before', () => {
  const rules = [rule({ forMs: 100 })];
  const kinds = (before: readonly Alert[], found: readonly Finding[], now: number) => {
    const { alerts, news } = stepAlerts(rules, before, { feature: found }, now);
    return { alerts, kinds: news.map(({ kind }) => kind) };
  };
  const first = kinds([], [constant], 0);
  expect(first.kinds).toEqual([]);
  expect(kinds(first.alerts, [], 50).kinds).toEqual([]);
  const fired = kinds(first.alerts, [constant], 100);
  expect(fired.kinds).toEqual(['firing']);
  expect(stepAlerts(rules, fired.alerts, { feature: undefined }, 200)).toEqual({ alerts: fired.alerts, news: [] });
  expect(stepAlerts([], fired.alerts, {}, 200).news.map(({ kind }) => kind)).toEqual(['resolved']);
});

it('means only what its rule names', () => {
  const lag: Finding = { when: 'lag', labels: { source: 's', partition: '0' }, text: '', seconds: 90 };
  const count = (one: AlertRule, found: Finding) => stepAlerts([one], [], { [found.when]: [found] }, 0).news.length;
  expect(count(rule({ view: 'v' }), constant)).toBe(1);
  expect(count(rule({ view: 'w' }), constant)).toBe(0);
  expect(count(rule({ feature: 'g' }), constant)).toBe(0);
  expect(count(rule({ when: 'lag' }), lag)).toBe(1);
  expect(count(rule({ when: 'lag', above: 100 }), lag)).toBe(0);
  expect(count(rule({ when: 'parity' }), constant)).toBe(0);
  const stale: Finding = { when: 'freshness', labels: { view: 'v', by: 'event' }, text: '' };
  expect(count(rule({ when: 'freshness' }), stale)).toBe(1);
  expect(count(rule({ when: 'freshness', view: 'v', by: 'event' }), stale)).toBe(1);
  expect(count(rule({ when: 'freshness', by: 'processing' }), stale)).toBe(0);
});

it('what cannot be judged stays what it is, and all else does not', () => {
  const lagging = (partition: string, seconds: number): Finding => ({
    ...{ when: 'lag', text: '', seconds, labels: { source: 's', partition } },
  });
  const unknown = (labels: Finding['labels']): Finding => ({ when: 'lag', labels, text: '', isUnknown: true });
  const rules = [rule({ when: 'lag' })];
  const { alerts } = stepAlerts(rules, [], { lag: [lagging('0', 90), lagging('1', 90), lagging('2', 90)] }, 0);
  const resolved = (lag: readonly Finding[]) =>
    stepAlerts(rules, alerts, { lag }, 1).news.map(({ alert }) => alert.labels.partition);
  expect(resolved([])).toEqual(['0', '1', '2']);
  expect(resolved([unknown({ source: 's', partition: '1' })])).toEqual(['0', '2']);
  expect(resolved([unknown({ source: 's' }), lagging('2', 0)])).toEqual(['2']);
  expect(resolved([unknown({ source: 'other' })])).toEqual(['0', '1', '2']);
  expect(stepAlerts(rules, [], { lag: [unknown({ source: 's', partition: '0' })] }, 1)).toEqual({ alerts: [], news: [] });
});

it('a rule of another severity, time or meaning has alerts of its own', () => {
  const rules = [
    rule({ severity: 'warning' }),
    rule({ severity: 'critical', forMs: 100 }),
    rule({ view: 'same' }),
    rule({ feature: 'same' }),
  ];
  const found: Findings = { feature: [{ ...constant, labels: { view: 'same', feature: 'same' } }] };
  const first = stepAlerts(rules, [], found, 0);
  expect(first.news.map(({ alert }) => `${alert.severity} ${alert.rule}`)).toEqual([
    ...['warning feature', 'critical feature same', 'critical feature *:same'],
  ]);
  expect(stepAlerts(rules, first.alerts, {}, 50).alerts).toHaveLength(4);
  const later = stepAlerts(rules, first.alerts, found, 100);
  expect(later.news.map(({ alert }) => `${alert.severity} ${alert.rule}`)).toEqual(['critical feature']);
  expect(stepAlerts(rules, later.alerts, found, 200).news).toEqual([]);
  expect(stepAlerts(rules, later.alerts, { feature: [] }, 300).news).toHaveLength(4);
});

it('fires and resolves in turn, whatever comes in whatever order', () => {
  const findings = ['a', 'b', 'c'].map((feature): Finding => ({ when: 'feature', labels: { view: feature, feature }, text: '' }));
  const times = fc.constantFrom(0, 50, 100);
  const every = (['warning', 'critical'] as const).flatMap((severity) =>
    [{}, { view: 'a' }, { feature: 'a' }].map((narrowed) => times.map((forMs) => rule({ ...narrowed, severity, forMs }))),
  );
  const allRules = fc.tuple(...every).chain((rules) => fc.subarray(rules, { minLength: 1 }));
  const looksOf = fc.array(fc.tuple(fc.option(fc.subarray(findings)), fc.integer({ min: 0, max: 60 })));
  fc.assert(
    fc.property(allRules, looksOf, (rules, looks) => {
      const told = new Map<string, string[]>();
      let alerts: readonly Alert[] = [];
      let now = 0;
      for (const [found, after] of looks) {
        now += after;
        const step = stepAlerts(rules, alerts, { feature: found ?? undefined }, now);
        alerts = step.alerts;
        for (const { alert } of step.news) expect(step.news.filter((one) => one.alert.id === alert.id)).toHaveLength(1);
        if (found !== null) {
          const meant = rules.flatMap(({ view, feature, severity }) =>
            found.map(({ labels }) => [severity, labels, (view ?? feature ?? labels.view) === labels.view] as const),
          );
          expect(alerts.length).toBe(meant.filter(([, , isMeant]) => isMeant).length);
        }
        for (const { kind, alert } of step.news) told.set(alert.id, [...(told.get(alert.id) ?? []), kind]);
      }
      for (const kinds of told.values()) {
        expect(kinds).toEqual(kinds.map((_, at) => (at % 2 === 0 ? 'firing' : 'resolved')));
      }
    }),
  );
});
