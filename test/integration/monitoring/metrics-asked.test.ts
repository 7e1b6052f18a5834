/** docs/monitoring: the dashboard and the alerts ask for nothing but metrics and labels that a server has, and Prometheus takes them. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, test, vi } from 'vitest';
import { findPromtool } from '../../support/find-promtool.ts';
import { call, post } from '../../support/http-client.ts';
import { metricsAsked, readSamples } from '../../support/promql.ts';
import { runProgram } from '../../support/run-program.ts';
import { type ServerProcess, startServer } from '../../support/start-server.ts';
import { makeShop } from './make-shop.ts';
import { askings, panels, variables } from './read-files.ts';

const promtool = await findPromtool();
let directory = '';
let server: ServerProcess;
let exposition = '';
let samples: ReadonlyMap<string, ReadonlySet<string>>;

/** Told of only once there was an alarm or an alert: which labels they have is what their pages say. */
const quiet: readonly (readonly [string, ReadonlySet<string>])[] = [
  ['featherflight_feature_alarm', new Set(['view', 'feature', 'alarm'])],
  ['featherflight_alert_firing', new Set(['rule', 'severity', 'view', 'feature', 'source'])],
];

const waiting = { timeout: 30_000, interval: 300 };
/** What Prometheus itself adds to what it scrapes. */
const ofScrape = ['job', 'instance'];

beforeAll(async () => {
  directory = await makeShop();
  server = await startServer(directory);
  await send('/api/v1/materialize', {});
  const at = new Date(Date.now() - 60_000).toISOString();
  // Their sum is outside int64.
  const rows = { user_id: ['1', '1', '2'], at: [at, at, at], amount: ['9000000000000000000', '9000000000000000000', '3'] };
  await send('/api/v1/push', { source: 'clicks', rows });
  await vi.waitFor(async () => expect((await ask()).columns.clicks?.values).toEqual(['2', '1', '0']), waiting);
  // Its result is that of its own tests: here it is told at all.
  await vi.waitFor(async () => expect((await send('/api/v1/validate/parity', {})).result).not.toBe('NO DATA'), waiting);
  // So is what is served from now on beside what was served before.
  const [before, from] = [Date.now() - 3_600_000, Date.now()].map((ms) => new Date(ms).toISOString());
  await ask();
  const { features } = await send('/api/v1/validate/drift', { reference_from: before, from, min_keys: 2 });
  expect(features).toContainEqual(expect.objectContaining({ psi: expect.any(Number) }));
  exposition = (await call(`${server.http}/metrics`)).text;
  samples = new Map([...quiet.filter(([name]) => exposition.includes(`# TYPE ${name} gauge`)), ...readSamples(exposition)]);
});

afterAll(async () => {
  await server?.stop();
});

async function send(path: string, body: unknown): Promise<Record<string, unknown>> {
  const answer = await post(`${server.http}${path}`, body);
  expect(answer.status, answer.text).toBe(200);
  return answer.json() as Record<string, unknown>;
}

async function ask() {
  const answer = await send('/api/v1/online-features', { service: 'ranker', entities: { user_id: ['1', '2', '9'] } });
  return answer as { columns: Record<string, { values: unknown[] }> };
}

describe('what is asked for exists', () => {
  it.each(askings)('$where', ({ expression, shown }) => {
    const asked = metricsAsked(expression);
    expect(asked.length).toBeGreaterThan(0);
    for (const { name, labels } of asked) {
      const known = name === 'up' ? new Set<string>() : samples.get(name);
      expect(known, `${name} is no metric of a server`).toBeDefined();
      const missing = [...labels, ...shown].filter((label) => !known?.has(label) && !ofScrape.includes(label));
      expect(missing, `labels that ${name} does not have`).toEqual([]);
    }
  });

  it('and every variable of the dashboard', () => {
    expect(variables).toHaveLength(2);
    for (const variable of variables) {
      const [, expression = ''] = /^label_values\((.*), (?:job|instance)\)$/.exec(variable) ?? [];
      for (const { name } of metricsAsked(expression)) expect(samples.has(name), name).toBe(true);
    }
  });

  it('which is read well enough to find what does not', () => {
    const asked = metricsAsked('sum by (view) (rate(featherflight_gone_total{state="x"}[$__rate_interval])) > 0');
    expect(asked).toEqual([{ name: 'featherflight_gone_total', labels: new Set(['state', 'view']) }]);
    expect(samples.has('featherflight_gone_total')).toBe(false);
    expect(() => metricsAsked('sum by (view (x)')).toThrow('no PromQL');
    expect(() => metricsAsked('{job="x"}')).toThrow("without a metric's name");
  });
});

test('every metric of our own is shown or alarms, but for those that others say better', () => {
  const asked = new Set(askings.flatMap(({ expression }) => metricsAsked(expression).map(({ name }) => familyOf(name))));
  const own = new Set([...samples.keys()].filter((name) => name.startsWith('featherflight_')).map(familyOf));
  const silent = [...own].filter((name) => !asked.has(name));
  const meant = ['featherflight_stream_freshness_seconds', 'featherflight_stream_records_total'];
  expect(silent.sort(), 'give it a panel in docs/monitoring/grafana.json').toEqual(meant);
});

const familyOf = (name: string) => name.replace(/_(?:bucket|sum|count)$/, '');

test('panels have ids of their own and lie beside each other', () => {
  expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
  for (const [at, { title, gridPos: a }] of panels.entries()) {
    expect(a.x + a.w, title).toBeLessThanOrEqual(24);
    for (const { title: other, gridPos: b } of panels.slice(at + 1)) {
      const overlap = a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h;
      expect(overlap, `${title} over ${other}`).toBe(false);
    }
  }
});

describe.skipIf(promtool === undefined)('promtool (left out where there is none: install Prometheus)', () => {
  it('takes what a server tells', async () => {
    const path = join(directory, 'metrics.txt');
    writeFileSync(path, exposition);
    const { status, stdout, stderr } = await runProgram('sh', ['-c', '"$0" check metrics < "$1"', promtool as string, path]);
    const ofOurs = (stdout + stderr).split('\n').filter((line) => line !== '' && !/^(?:nodejs|process)_/.test(line));
    expect(ofOurs).toEqual([]);
    expect([0, 3], "names of Node's own metrics may be doubtful, and nothing else").toContain(status);
  });
});
