/** A rule that can find nothing wrong is told of: silence is not health. */
import { expect, it } from 'vitest';
import type { RegistryDocument } from '../../../src/registry/document.ts';
import { findSilentRules } from '../../../src/validate/alerts/silent-rules.ts';
import type { AlertRule } from '../../../src/validate/alerts/step.ts';

const applied = {
  sources: [
    { name: 'clicks', kind: 'event' },
    { name: 'profiles', kind: 'batch' },
  ],
  views: [
    { name: 'user_profile', kind: 'batch', freshness: '24h', features: [{ name: 'age' }] },
    { name: 'activity', kind: 'stream', features: [{ name: 'clicks_7d' }] },
  ],
} as unknown as RegistryDocument;

const silent = (rule: Partial<AlertRule>, isLogged = true, document = applied) =>
  findSilentRules([{ when: 'parity', above: 60, severity: 'warning', ...rule }], document, isLogged);

it.each<[Partial<AlertRule>]>([
  [{ when: 'feature' }],
  [{ when: 'parity', view: 'user_profile', feature: 'age' }],
  [{ when: 'drift', feature: 'clicks_7d' }],
  [{ when: 'lag', source: 'clicks' }],
  [{ when: 'freshness' }],
  [{ when: 'freshness', view: 'user_profile', by: 'event' }],
])('%j is none', (rule) => expect(silent(rule)).toEqual([]));

it.each<[Partial<AlertRule>, string]>([
  [
    { when: 'parity', view: 'user_profle' },
    'the rule "parity user_profle" of alerts finds nothing: no view "user_profle" is applied; did you mean "user_profile"?',
  ],
  [
    { when: 'drift', view: 'activity', feature: 'age' },
    'the rule "drift activity:age" of alerts finds nothing: no feature "age" is applied',
  ],
  [
    { when: 'lag', source: 'profiles' },
    'the rule "lag profiles above 60 s" of alerts finds nothing: no event source "profiles" is applied',
  ],
  [
    { when: 'freshness', view: 'activity' },
    'the rule "freshness activity" of alerts finds nothing: the view has no objective; give it freshness: "24h"',
  ],
])('%j is one', (rule, text) => expect(silent(rule)).toEqual([expect.stringContaining(text)]));

it('is told where nothing is logged, and where no view has an objective', () => {
  expect(silent({ when: 'feature' }, false)).toEqual([expect.stringContaining('configure logging')]);
  const none = { ...applied, views: applied.views.slice(1) };
  expect(silent({ when: 'freshness', by: 'event' }, true, none)).toEqual([
    'the rule "freshness by event" of alerts finds nothing: no view has an objective; define one with freshness: "24h"',
  ]);
});
