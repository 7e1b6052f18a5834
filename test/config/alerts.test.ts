/** Rules of alerts in the config: what narrows which kind, and what each is when it says nothing. */
import { expect, it } from 'vitest';
import { defineConfig, parseConfig } from '../../src/config.ts';

const parse = (...rules: object[]) =>
  parseConfig(defineConfig({ project: 'p', alerts: { rules } } as never), '/repository').alerts?.rules;

it('a rule has its defaults', () => {
  const rules = parse({ when: 'freshness', by: 'event', view: 'v' }, { when: 'lag' });
  expect(rules).toEqual([
    { when: 'freshness', by: 'event', view: 'v', above: 60, for: '0s', severity: 'warning' },
    { when: 'lag', above: 60, for: '0s', severity: 'warning' },
  ]);
});

it.each([
  [{ when: 'lag', view: 'v' }, 'is not for rules of "lag", which source and above narrow'],
  [{ when: 'parity', source: 's' }, 'is not for rules of "parity", which view and feature narrow'],
  [{ when: 'drift', above: 5 }, 'is not for rules of "drift"'],
  [{ when: 'freshness', feature: 'f' }, 'is not for rules of "freshness", which view and by narrow'],
  [{ when: 'feature', by: 'event' }, 'is not for rules of "feature"'],
  [{ when: 'freshness', by: 'clock' }, 'by'],
])('%j is refused', (rule, text) => expect(() => parse(rule)).toThrow(text));

it('refuses a rule that means the same as another one, and takes it with another severity', () => {
  const feature = { when: 'feature' };
  expect(parse({ ...feature, severity: 'warning' }, { ...feature, severity: 'critical', for: '10m' })).toHaveLength(2);
  expect(() => parse(feature, { when: 'parity' }, { ...feature, severity: 'warning', for: '10m' })).toThrow(
    /"alerts\.rules\.2" means the same as rules\.0: narrow one, give it another severity, or remove it/,
  );
  expect(() => parse({ when: 'lag' }, { when: 'lag', above: 60 })).toThrow(/rules\.1" means the same as rules\.0/);
});
