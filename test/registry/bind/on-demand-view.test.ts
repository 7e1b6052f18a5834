/** On-demand views as documents (sections 7.1 and 7.4): what binds, and what is refused by name. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { FeatureStoreError } from '../../../src/errors.ts';
import { bindRepository } from '../../../src/registry/bind.ts';
import { diffDocuments } from '../../../src/registry/diff.ts';
import { formatPlan } from '../../../src/registry/format-plan.ts';
import { loadRepository } from '../../../src/registry/load.ts';
import type { Problem } from '../../../src/registry/problems.ts';
import { describeFrom, toolsFor } from '../bind-definitions.ts';
import { makeRepository } from '../repository-folder.ts';

const base = `
import { batchSource, entity, featureService, featureView, onDemandFeatureView, parquet } from 'featherflight';
export const user = entity('user', { joinKeys: { user_id: 'int64' } });
export const source = batchSource('users', { table: parquet('users.parquet'), eventTimestamp: 'at', push: true });
export const profile = featureView('profile', { entities: [user], source, features: { age: { type: 'int32' }, name: { type: 'string' } } });
`;
const table = { 'users.parquet': { user_id: 'BIGINT', at: 'TIMESTAMP WITH TIME ZONE', age: 'INTEGER', name: 'VARCHAR' } };

async function bind(text: string, root = makeRepository({})) {
  writeFileSync(join(root, 'features/all.ts'), base + text);
  return await bindRepository(await loadRepository(root), toolsFor(describeFrom(table)));
}

async function problemsOf(text: string): Promise<string[]> {
  try {
    await bind(text);
    return [];
  } catch (error) {
    if (!(error instanceof FeatureStoreError)) throw error;
    return (error.details.problems as Problem[]).map(({ message }) => message);
  }
}

const clock = `
export const clock = onDemandFeatureView('clock', {
  request: { user_timezone: 'string', price: 'decimal(12, 2)' },
  inputs: [profile.select('age'), profile.as('other').withKeys({ user_id: 'other_id' })],
  features: { local_hour: 'int32', older: { type: 'bool', description: 'Whether.' } },
  transform: ({ now, request, features }) => ({ local_hour: now.in(request.user_timezone).hour, older: features.profile.age > features.other.age }),
  description: 'A clock.', owner: 'us', tags: { tier: 'gold' },
});
export const ranker = featureService('ranker', { features: [clock, clock.select('older').as('home'), profile] });
`;

describe('an on-demand view', () => {
  it('is stored with its request values, inputs, outputs and transform', async () => {
    const document = await bind(clock);
    expect(document.onDemandViews).toEqual([
      {
        name: 'clock',
        kind: 'onDemand',
        request: [
          { name: 'user_timezone', type: 'string' },
          { name: 'price', type: 'decimal(12,2)' },
        ],
        inputs: [
          { view: 'profile', features: ['age'] },
          { view: 'profile', prefix: 'other', keys: { user_id: 'other_id' }, features: ['age', 'name'] },
        ],
        features: [
          { name: 'local_hour', type: 'int32' },
          { name: 'older', type: 'bool', description: 'Whether.' },
        ],
        transform: { bundle: expect.stringContaining('features.other.age'), hash: expect.stringMatching(/^[0-9a-f]{64}$/) },
        description: 'A clock.',
        owner: 'us',
        tags: { tier: 'gold' },
        file: 'features/all.ts',
      },
    ]);
    expect(document.services[0]?.features).toEqual([
      { view: 'clock', features: ['local_hour', 'older'] },
      { view: 'clock', prefix: 'home', features: ['older'] },
      { view: 'profile', features: ['age', 'name'] },
    ]);
    expect(document.sources[0]?.push).toBe(true);
  });

  it('7.4: a changed transform is told by plan as such, and touches its services', async () => {
    const root = makeRepository({});
    const before = await bind(clock, root);
    expect(diffDocuments(before, await bind(`${clock}// a comment`, root)).changes).toEqual([]);
    const plan = diffDocuments(before, await bind(clock.replace('age >', 'age >='), root));
    expect(formatPlan(plan)).toMatch(
      /^~ on-demand feature view clock {2}\(features\/all\.ts, touches ranker\)\n {4}~ transform: sha256 [0-9a-f]{12} -> sha256 [0-9a-f]{12}\n\n0 to add, 1 to change/,
    );
  });

  it('a changed input view touches the services of what reads it', async () => {
    const root = makeRepository({});
    const timed = clock.replace(', profile] }', '] }');
    const before = await bind(timed, root);
    writeFileSync(join(root, 'features/all.ts'), `${base.replace('source, features', "source, ttl: '1d', features")}${timed}`);
    const after = await bindRepository(await loadRepository(root), toolsFor(describeFrom(table)));
    expect(diffDocuments(before, after).changes).toMatchObject([{ kind: 'feature view', name: 'profile', services: ['ranker'] }]);
  });
});

function view(options: string): string {
  return `export const v = onDemandFeatureView('v', { features: { n: 'int32' }, transform: () => ({ n: 1 }), ${options} });`;
}

describe('what cannot be is refused by name', () => {
  it.each([
    ['an unknown option', view('featurs: {}'), /view "v": "featurs" is no option; did you mean "features"/],
    ['no features', view('features: {}'), /"v" has no features; write features/],
    ['an output type', view("features: { n: 'int' }"), /feature "v:n": type "int" cannot be read/],
    ['an output name', view("features: { N: 'int32' }"), /feature "N" cannot be named so/],
    ['a request type', view("request: { zone: 'text' }"), /request value "zone": type "text".*did you mean "string"/],
    ['a request name', view("request: { Zone: 'string' }"), /request value "Zone" cannot be named so/],
    ['an input that is no view', view('inputs: [user]'), /inputs holds something that is no feature view/],
    ['an unknown feature of an input', view("inputs: [profile.select('agee')]"), /no feature "agee"; did you mean "age"/],
    [
      'two inputs under one name',
      view("inputs: [profile, profile.select('age')]"),
      /two inputs would be read as features\.profile/,
    ],
    [
      'an on-demand view as input',
      `${view('inputs: []')}\n${view('inputs: [v]').replaceAll(/\bv\b(?= = )|'v'/g, (name) => (name === 'v' ? 'w' : "'w'"))}`,
      /on-demand view "v" cannot be an input/,
    ],
    ['no transform', view('transform: undefined'), /transform is a function/],
    ['an async transform', view('transform: async () => ({ n: 1 })'), /it is no async function/],
    [
      'an input that is not exported',
      `const hidden = featureView('hidden', { entities: [user], source, features: { age: { type: 'int32' } } });\n${view('inputs: [hidden]')}`,
      /feature view "hidden" is exported by no file/,
    ],
    ['a name that a feature view has', view('inputs: []').replace("'v'", "'profile'"), /feature view "profile" is defined twice/],
    [
      'an import of Node',
      `import { hostname } from 'node:os';\n${view('transform: () => ({ n: hostname().length })')}`,
      /"v": its transform cannot be bundled: features\/all\.ts:\d+: "node:os" is imported: a transform is pure/,
    ],
    [
      'push that is no boolean',
      "export const s = batchSource('s', { table: parquet('users.parquet'), eventTimestamp: 'at', push: 1 });",
      /source "s": push is true or false/,
    ],
  ])('%s', async (_, text, message) => {
    expect((await problemsOf(text)).join('\n')).toMatch(message);
  });
});
