import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import type { LiteralValue } from '../../src/definitions/literal.ts';
import { compileLookup } from '../../src/online/encoding/lookup.ts';
import { openLmdbStore } from '../../src/online/lmdb-store.ts';
import { createOnlineReader } from '../../src/online/retrieve/reader.ts';
import { compileOnlineView } from '../../src/online/view.ts';
import { createOnlineWriter } from '../../src/online/write/writer.ts';
import type { ViewDocument } from '../../src/registry/document.ts';
import { createNaiveOnline, type NaiveOnlineCell } from '../support/naive-online.ts';
import {
  allEntities,
  type DrawnRow,
  type DrawnView,
  documentOf,
  drawEntity,
  drawRow,
  drawViews,
  startUs,
} from './draw-online.ts';

const folder = mkdtempSync(join(tmpdir(), 'featherflight-semantics-'));
const store = openLmdbStore(folder);
afterAll(async () => {
  await store.close();
  rmSync(folder, { recursive: true, force: true });
});

type Step =
  | { readonly kind: 'materialize' | 'push' | 'both at once'; readonly view: number; readonly rows: readonly DrawnRow[] }
  | { readonly kind: 'clock'; readonly seconds: number }
  | { readonly kind: 'redefine'; readonly view: number; readonly delayUs: bigint; readonly asKnown: boolean }
  | { readonly kind: 'erase' | 'lift'; readonly entity: Readonly<Record<string, LiteralValue>> };

const drawSteps = drawViews.chain((views) => {
  const write = fc.nat(views.length - 1).chain((view) =>
    fc.record({
      kind: fc.constantFrom('materialize' as const, 'push' as const, 'both at once' as const),
      view: fc.constant(view),
      rows: fc.array(drawRow(views[view] as DrawnView), { minLength: 1, maxLength: 8 }),
    }),
  );
  const step: fc.Arbitrary<Step> = fc.oneof(
    { weight: 8, arbitrary: write },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('clock' as const), seconds: fc.integer({ min: -60, max: 240 }) }) },
    {
      weight: 1,
      arbitrary: fc.record({
        kind: fc.constant('redefine' as const),
        view: fc.nat(views.length - 1),
        delayUs: fc.constantFrom(0n, 60_000_000n),
        asKnown: fc.boolean(),
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({
        kind: fc.constantFrom('erase' as const, 'lift' as const),
        entity: fc.constantFrom(['user_id'], ['item']).chain(drawEntity),
      }),
    },
  );
  return fc.tuple(fc.constant(views), fc.array(step, { minLength: 3, maxLength: 25 }));
});

describe('the online state', () => {
  it('answers as rules 8.1 to 8.4 say after any sequence of writes, corrections, clock steps, redefinitions and erasures', async () => {
    let run = 0;
    await fc.assert(
      fc.asyncProperty(drawSteps, async ([views, steps]) => await playSteps(`p${run++}`, views, steps)),
      { numRuns: 400 },
    );
  }, 120_000);
});

async function playSteps(project: string, drawn: readonly DrawnView[], steps: readonly Step[]): Promise<void> {
  const views = [...drawn];
  const naive = createNaiveOnline();
  const reader = createOnlineReader(store, project);
  const writers = [createOnlineWriter(store, project), createOnlineWriter(store, project)] as const;
  const sources = views.map((): DrawnRow[] => []);
  let nowUs = startUs;
  let latestUs = nowUs;
  let definitions = 0;

  const write = async (at: number, rows: readonly DrawnRow[], pushed: boolean, by: 0 | 1) => {
    const view = views[at] as DrawnView;
    const document = documentOf(views).views[at] as ViewDocument;
    const given = rows.map((row) => ({
      keys: view.keys.map((key) => row.entity[key] as LiteralValue),
      row: { ...row, pushed, values: document.features.map(({ name }) => row.values[name] as LiteralValue) },
    }));
    for (const row of rows) naive.write(view, row.entity, row);
    const counts = await writers[by].write(compileOnlineView(document, documentOf(views)), given, nowUs);
    expect(counts.written + counts.unchanged + counts.erased + counts.ignored).toBe(rows.length);
    // What stands in the store once does not change it a second time.
    expect((await writers[by].write(compileOnlineView(document, documentOf(views)), given, nowUs)).written).toBe(0);
  };
  /** A materialization knows every row of the source, pushed ones included: of rows at equal times it sends all. */
  const materialize = async (at: number, rows: readonly DrawnRow[]) => {
    const source = sources[at] as DrawnRow[];
    source.push(...rows);
    const isMate = (row: DrawnRow) =>
      rows.some(
        (other) =>
          Object.entries(row.entity).every(([key, value]) => other.entity[key] === value) &&
          other.eventUs === row.eventUs &&
          other.createdUs === row.createdUs,
      );
    await write(at, source.filter(isMate), false, 0);
  };

  for (const step of steps) {
    switch (step.kind) {
      case 'materialize':
        await materialize(step.view, step.rows);
        break;
      case 'push':
        sources[step.view]?.push(...step.rows);
        await write(step.view, step.rows, true, 0);
        break;
      case 'both at once': {
        sources[step.view]?.push(...step.rows);
        const half = Math.ceil(step.rows.length / 2);
        const view = views[step.view] as DrawnView;
        const document = documentOf(views).views[step.view] as ViewDocument;
        const send = async (rows: readonly DrawnRow[], by: 0 | 1) => {
          for (const row of rows) naive.write(view, row.entity, row);
          const given = rows.map((row) => ({
            keys: view.keys.map((key) => row.entity[key] as LiteralValue),
            row: { ...row, pushed: true, values: document.features.map(({ name }) => row.values[name] as LiteralValue) },
          }));
          await writers[by].write(compileOnlineView(document, documentOf(views)), given, nowUs);
        };
        await Promise.all([send(step.rows.slice(0, half), 0), send(step.rows.slice(half), 1)]);
        break;
      }
      case 'clock':
        // Processes' clocks may be apart by a minute, not more.
        nowUs += BigInt(step.seconds) * 1_000_000n;
        if (nowUs < latestUs - 60_000_000n) nowUs = latestUs - 60_000_000n;
        if (nowUs > latestUs) latestUs = nowUs;
        break;
      case 'redefine': {
        const view = views[step.view] as DrawnView;
        definitions += 1;
        const last = view.features.length - 1;
        const visibility = definitions % 2 === 0 ? { delayUs: step.delayUs, asKnown: step.asKnown && view.hasCreated } : {};
        views[step.view] = {
          ...view,
          ...visibility,
          features: view.features.map((feature, at) =>
            at === last ? { ...feature, hash: `${view.name}.${definitions}` } : feature,
          ),
        };
        // Another visibility may want rows that the store let go: they are in the source.
        if (definitions % 2 === 0) {
          await write(step.view, sources[step.view] as DrawnRow[], false, 0);
        }
        break;
      }
      case 'erase': {
        const [[name, value] = ['', null]] = Object.entries(step.entity);
        naive.erase(step.entity);
        await writers[0].erase([{ name, type: name === 'item' ? 'string' : 'int64' }], [value], nowUs);
        break;
      }
      case 'lift': {
        const [[name, value] = ['', null]] = Object.entries(step.entity);
        naive.lift(step.entity);
        await writers[0].lift([{ name, type: name === 'item' ? 'string' : 'int64' }], [value]);
        break;
      }
    }
    await compareAll();
  }

  async function compareAll(): Promise<void> {
    const document = documentOf(views);
    const wanted = views.map((view, at) => ({
      lookup: compileLookup(
        compileOnlineView(document.views[at] as ViewDocument, document),
        view.features.map(({ name }) => name),
      ),
      entities: allEntities(view.keys).map((entity) => view.keys.map((key) => entity[key] as LiteralValue)),
    }));
    const { rows } = await reader.read(wanted, nowUs);
    for (const [at, view] of views.entries()) {
      for (const [number, entity] of allEntities(view.keys).entries()) {
        const row = rows[at]?.[number];
        const cells = view.features.map((_, position): NaiveOnlineCell => {
          const value = row?.values[position];
          if (row === undefined || value === undefined) return { status: 'NOT_FOUND', value: null, eventUs: null };
          if (row.isTooOld) return { status: 'OUTSIDE_MAX_AGE', value: null, eventUs: row.eventUs };
          return { status: value === null ? 'NULL_VALUE' : 'PRESENT', value, eventUs: row.eventUs };
        });
        expect(withoutSigns(cells)).toEqual(withoutSigns(naive.answer(view, entity, nowUs)));
      }
    }
  }
}

/** -0 is 0: which of them wins a tie is not said. */
function withoutSigns(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutSigns);
  if (value !== null && typeof value === 'object' && !(value instanceof Uint8Array))
    return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, withoutSigns(part)]));
  return value === 0 ? 0 : value;
}
