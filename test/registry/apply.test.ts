import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { applyPlanned, planApply } from '../../src/registry/apply.ts';
import { loadRepository } from '../../src/registry/load.ts';
import { openState } from '../../src/registry/state.ts';
import { describeFrom, toolsFor } from './bind-definitions.ts';
import { makeRepository, writeRepository } from './repository-folder.ts';

const folder = mkdtempSync(join(tmpdir(), 'featherflight-apply-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const features = (type: string) => `import { batchSource, entity, featureView, parquet } from 'featherflight';
export const user = entity('user', { joinKeys: { user_id: 'int64' } });
export const source = batchSource('profiles', { table: parquet('p.parquet'), eventTimestamp: 'at' });
export const view = featureView('profile', { entities: [user], source, features: { age: { type: '${type}' } } });`;
const tools = toolsFor(describeFrom({ 'p.parquet': { user_id: 'BIGINT', at: 'TIMESTAMP WITH TIME ZONE', age: 'INTEGER' } }));
const now = '2026-03-10T12:00:00Z';

describe('plan and apply', () => {
  it('store a first version, leave it where nothing changed, and count up where something did', async () => {
    const root = makeRepository({ 'features/user.ts': features('int32') });
    const state = await openState(join(folder, 'a'), { purpose: 'apply' });
    const plan = async () => await planApply(await loadRepository(root), state, tools);
    const first = await plan();
    expect(first.plan.changes).toHaveLength(3);
    expect(await applyPlanned(first, state, now)).toMatchObject({ version: 1, appliedAt: now, project: 'test' });
    expect(await applyPlanned(await plan(), state, '2027-01-01T00:00:00Z')).toMatchObject({ version: 1, appliedAt: now });
    writeRepository(root, { 'features/user.ts': features('int64') });
    const second = await plan();
    expect(second.plan.changes.map(({ fields }) => fields)).toEqual([
      [{ path: 'features.age.type', before: 'int32', after: 'int64' }],
    ]);
    expect(await applyPlanned(second, state, now)).toMatchObject({ version: 2 });
    expect(state.readDocument()).toMatchObject({ version: 2, views: [{ features: [{ type: 'int64' }] }] });
    await state.close();
  });

  it('store nothing when another apply came between', async () => {
    const root = makeRepository({ 'features/user.ts': features('int32') });
    const state = await openState(join(folder, 'b'), { purpose: 'apply' });
    const early = await planApply(await loadRepository(root), state, tools);
    await applyPlanned(await planApply(await loadRepository(root), state, tools), state, now);
    await expect(applyPlanned(early, state, now)).rejects.toMatchObject({ code: 'ABORTED' });
    await state.close();
  });

  it('store nothing when something is refused, or when the state is another project’s', async () => {
    const root = makeRepository({ 'features/user.ts': features('string') });
    const state = await openState(join(folder, 'c'), { purpose: 'apply' });
    await expect(planApply(await loadRepository(root), state, tools)).rejects.toThrow(
      'features/user.ts: feature "profile:age" is string',
    );
    expect(state.readDocument()).toBeUndefined();
    writeRepository(root, { 'features/user.ts': features('int32') });
    await applyPlanned(await planApply(await loadRepository(root), state, tools), state, now);
    const other = await loadRepository(root, { FEATHERFLIGHT_PROJECT: 'other' });
    await expect(planApply(other, state, tools)).rejects.toMatchObject({
      code: 'FAILED_PRECONDITION',
      message: expect.stringContaining('"test"'),
    });
    await state.close();
  });
});
