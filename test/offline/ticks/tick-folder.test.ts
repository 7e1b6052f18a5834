/** Files of ticks whose process dies between any two steps: each tick has its rows once, those of before or those that came. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type * as FsPromises from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { rewriteAlone } from '../../../src/offline/archive/alone.ts';
import {
  listTickFiles,
  mergeInto,
  removeUncounted,
  replaceTick,
  rewriteMerged,
  rewriteTick,
  tidyTickFolder,
} from '../../../src/offline/ticks/tick-folder.ts';

/** How many more steps on the disk the process lives. */
const life = vi.hoisted(() => ({ steps: Number.POSITIVE_INFINITY, taken: 0 }));

vi.mock('node:fs/promises', async (load) => {
  const real = await load<typeof FsPromises>();
  type Call = (...args: unknown[]) => Promise<unknown>;
  const mortal =
    (name: string, isStep: boolean) =>
    async (...args: unknown[]) => {
      if (life.steps <= 0) throw new Error('killed');
      if (isStep) {
        life.steps -= 1;
        life.taken += 1;
      }
      return await (real as unknown as Record<string, Call>)[name]?.(...args);
    };
  const steps = ['rename', 'rm', 'link', 'writeFile', 'mkdir', 'utimes'].map((name) => [name, mortal(name, true)]);
  const looks = ['readdir', 'readFile', 'stat', 'open'].map((name) => [name, mortal(name, false)]);
  return { ...real, ...Object.fromEntries([...steps, ...looks]) };
});

const scratch = mkdtempSync(join(tmpdir(), 'tick-folder-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));
let folders = 0;

type Rows = Record<string, number>;
const readRows = (path: string) => JSON.parse(readFileSync(path, 'utf8')) as Rows;
const writeRows = (rows: Rows) => async (path: string) => {
  if (life.steps <= 0) throw new Error('killed');
  writeFileSync(path, JSON.stringify(rows));
};

/** What the folder says: the rows of each tick. Fails where a tick is there twice, or a file does not hold what it is said to. */
async function readFolder(folder: string): Promise<Map<string, number>> {
  const found = new Map<string, number>();
  for (const { name, ticks } of await listTickFiles(folder)) {
    const rows = readRows(join(folder, name));
    expect(new Set(Object.keys(rows))).toEqual(new Set([...ticks].map(String)));
    for (const [tick, value] of Object.entries(rows)) {
      expect(found.has(tick), `tick ${tick} is there twice`).toBe(false);
      found.set(tick, value);
    }
  }
  return found;
}

const run = (folder: string, tick: bigint, value: number) =>
  replaceTick(folder, tick, writeRows({ [String(tick)]: value }), async (merged, path) => {
    const { [String(tick)]: _, ...rest } = readRows(merged);
    await writeRows(rest)(path);
  });

const merge = (folder: string, most: number) =>
  rewriteAlone(folder, async () => {
    const files = (await listTickFiles(folder)).slice(-most);
    if (files.length < 2) return;
    await mergeInto(folder, files, writeRows(Object.assign({}, ...files.map(({ name }) => readRows(join(folder, name))))));
  });

/** Every file written anew, as an erasure does that finds rows everywhere. */
const rewriteAll = (folder: string) =>
  rewriteAlone(folder, async () => {
    for (const { name, ticks, isMerged } of await listTickFiles(folder)) {
      const rows = readRows(join(folder, name));
      if (isMerged) await rewriteMerged(folder, name, undefined, writeRows(rows));
      else for (const tick of ticks) await rewriteTick(folder, tick, writeRows(rows));
    }
    await removeUncounted(folder, Number.POSITIVE_INFINITY);
  });

type Step = { readonly kind: 'run' | 'merge' | 'tidy' | 'erase'; readonly tick: bigint; readonly most: number };

async function take(folder: string, step: Step, value: number): Promise<void> {
  if (step.kind === 'run') await run(folder, step.tick, value);
  else if (step.kind === 'merge') await merge(folder, step.most);
  else if (step.kind === 'erase') await rewriteAll(folder);
  else await tidyTickFolder(folder);
}

/** Does a step with a life of so many steps on the disk, and says whether it was survived; then what a dead process holds is let go. */
async function live(folder: string, steps: number, work: () => Promise<void>): Promise<boolean> {
  Object.assign(life, { steps, taken: 0 });
  const survived = await work().then(
    () => true,
    (error: Error) => {
      expect(error.message).toBe('killed');
      return false;
    },
  );
  life.steps = Number.POSITIVE_INFINITY;
  // Another process takes the lock of one that is no more; this one is still there.
  if (!survived) rmSync(join(folder, 'rewriting.lock'), { force: true });
  return survived;
}

async function expectStep(folder: string, step: Step, steps: number, model: Map<string, number>, value: number): Promise<void> {
  const survived = await live(folder, steps, () => take(folder, step, value));
  const found = await readFolder(folder);
  const after = new Map(model);
  if (step.kind === 'run') after.set(String(step.tick), value);
  const isDone = step.kind === 'run' && found.get(String(step.tick)) === value;
  expect(found).toEqual(survived || isDone ? after : model);
  if (survived || isDone) for (const [tick, one] of after) model.set(tick, one);
}

describe('a folder of ticks', () => {
  it('has each tick once after a death at every single step of a run, a merge, an erasure and a tidying', async () => {
    const prepare = async () => {
      const folder = join(scratch, `each-${folders++}`);
      await tidyTickFolder(folder);
      const model = new Map<string, number>();
      for (let tick = 0n; tick < 5n; tick++) await expectStep(folder, { kind: 'run', tick, most: 0 }, 1000, model, Number(tick));
      await expectStep(folder, { kind: 'merge', tick: 0n, most: 9 }, 1000, model, 0);
      await rewriteAlone(folder, () => removeUncounted(folder, Number.POSITIVE_INFINITY));
      for (let tick = 5n; tick < 8n; tick++) await expectStep(folder, { kind: 'run', tick, most: 0 }, 1000, model, Number(tick));
      return { folder, model };
    };
    const wanted: Step[] = [
      { kind: 'run', tick: 6n, most: 0 },
      { kind: 'run', tick: 2n, most: 0 },
      { kind: 'run', tick: 99n, most: 0 },
      { kind: 'merge', tick: 0n, most: 9 },
      { kind: 'erase', tick: 0n, most: 0 },
      { kind: 'tidy', tick: 0n, most: 0 },
    ];
    for (const step of wanted) {
      const whole = await prepare();
      await expectStep(whole.folder, step, 1000, whole.model, 7);
      const { taken } = life;
      expect(taken).toBeGreaterThan(3);
      for (let steps = 0; steps < taken; steps++) {
        const { folder, model } = await prepare();
        await expectStep(folder, step, steps, model, 7);
        // The same once more, by a process that finds what the dead one left.
        await tidyTickFolder(folder);
        expect(await readFolder(folder)).toEqual(model);
        await expectStep(folder, step, 1000, model, 8);
      }
    }
  });

  it('has each tick once after any runs, merges and deaths, and nothing else in the end', { timeout: 120_000 }, async () => {
    const step = fc.record({
      kind: fc.constantFrom('run' as const, 'run' as const, 'run' as const, 'merge' as const, 'tidy' as const, 'erase' as const),
      tick: fc.bigInt({ min: -3n, max: 4n }),
      most: fc.integer({ min: 2, max: 8 }),
      steps: fc.oneof({ weight: 2, arbitrary: fc.constant(1000) }, { weight: 3, arbitrary: fc.integer({ min: 0, max: 20 }) }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 25 }), async (all) => {
        const folder = join(scratch, `any-${folders++}`);
        await tidyTickFolder(folder);
        const model = new Map<string, number>();
        for (const [at, { steps, ...one }] of all.entries()) await expectStep(folder, one, steps, model, at);
        await rewriteAlone(folder, () => removeUncounted(folder, Number.POSITIVE_INFINITY));
        const counting = (await listTickFiles(folder)).map(({ name }) => name);
        const there = readdirSync(folder).filter((name) => name.endsWith('.parquet'));
        expect(there.sort()).toEqual(counting.sort());
        expect(await readFolder(folder)).toEqual(model);
        rmSync(folder, { recursive: true });
      }),
      { numRuns: 300 },
    );
  });

  it('keeps a replaced file for who may be reading it, and says so across spans of ticks of any distance', async () => {
    const folder = join(scratch, `kept-${folders++}`);
    await tidyTickFolder(folder);
    const ticks = [-7n, -5n, 0n, 60n, 120n, 180n, 2n ** 55n];
    for (const tick of ticks) await run(folder, tick, 1);
    await merge(folder, 9);
    const [merged, ...others] = await listTickFiles(folder);
    expect(others).toEqual([]);
    expect(merged?.ticks).toEqual(new Set(ticks));
    await tidyTickFolder(folder);
    expect(readdirSync(folder).filter((name) => name.endsWith('.parquet'))).toHaveLength(ticks.length + 1);
    await rewriteAlone(folder, () => removeUncounted(folder, Date.now() + 1));
    expect(readdirSync(folder).sort()).toEqual([merged?.name, 'ticks.json'].sort());
  });
});
