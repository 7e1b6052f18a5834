/** Materialized again and again while the source grows, the store answers as the point-in-time join does: every type, tie and delay. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseDay } from '../../src/definitions/day.ts';
import type { LiteralValue } from '../../src/definitions/literal.ts';
import type { KeyType, ValueType } from '../../src/definitions/value-type.ts';
import { createMaterialize } from '../../src/materialize/materialize.ts';
import { silentLogger } from '../../src/observe.ts';
import { compileLookup } from '../../src/online/encoding/lookup.ts';
import { openLmdbStore } from '../../src/online/lmdb-store.ts';
import { createOnlineReader } from '../../src/online/retrieve/reader.ts';
import { compileOnlineView } from '../../src/online/view.ts';
import type { RegistryDocument, ViewDocument } from '../../src/registry/document.ts';
import { drawScenario } from '../offline/draw-scenario.ts';
import { drawFrom } from '../offline/draw-values.ts';
import { applyScenario, openTestHistory } from '../support/answer-with-engine.ts';
import { NaiveRefusal } from '../support/naive-instant.ts';
import { answerAt, inRange, momentsOf } from '../support/naive-latest.ts';
import type { Scenario, ScenarioView } from '../support/scenario.ts';

/** FEATHERFLIGHT_TEST_RUNS=2000 for a long search. */
const numRuns = Number(process.env.FEATHERFLIGHT_TEST_RUNS ?? 40);

test(
  'sections 3 and 8: the store answers as the join does',
  async () => {
    const root = mkdtempSync(join(tmpdir(), 'materialize-'));
    const history = await openTestHistory(root, { bucketBytes: 4096 });
    const store = openLmdbStore(join(root, 'online'));
    let count = 0;
    let compared = 0;
    try {
      await fc.assert(
        fc.asyncProperty(fc.gen(), async (g) => {
          const project = `p${count++}`;
          const scenario = drawScenario(g, 'm');
          const draw = drawFrom(g);
          const steps = Array.from({ length: 3 }, () => draw.time()).sort((a, b) => (a < b ? -1 : 1));
          for (const [step, nowUs] of steps.entries()) {
            const grown = grow(scenario, step);
            const registry = withEntities(await applyScenario(history, root, grown), project);
            const materialize = createMaterialize({
              history,
              store,
              registry: () => registry,
              logger: silentLogger,
              nowUs: () => nowUs,
            });
            const expected: ReturnType<typeof expectedOf>[] = [];
            for (const [at, drawn] of grown.views.entries()) {
              try {
                // A source with a time of no single instant is refused whole, whatever of it the answers need.
                answerAt(
                  drawn,
                  drawn.keys.map(() => ''),
                  nowUs,
                );
                expected.push(expectedOf(drawn, nowUs));
              } catch (error) {
                if (!(error instanceof NaiveRefusal)) throw error;
                await expect(materialize({ views: [registry.views[at]?.name as string] })).rejects.toThrow();
                return;
              }
            }
            // Those with the same keys are written together.
            await materialize({});
            for (const [at, drawn] of grown.views.entries()) {
              const document = registry.views[at] as ViewDocument;
              const lookup = compileLookup(
                { ...compileOnlineView(document, registry), ttlUs: 0n },
                document.features.map(({ name }) => name),
              );
              for (const { keys, timeUs, answer } of expected[at] as ReturnType<typeof expectedOf>) {
                const { rows } = await createOnlineReader(store, project).read([{ lookup, entities: [keys] }], timeUs);
                const found = rows[0]?.[0];
                const values = found?.values.map((value, index) => naive(drawn.features[index]?.type as ValueType, value));
                const actual = found === undefined ? {} : { eventUs: found.eventUs, values };
                expect([step, keys, timeUs, actual]).toEqual([step, keys, timeUs, answer]);
                compared += found === undefined ? 0 : 1;
              }
            }
          }
        }),
        { numRuns, endOnFailure: process.env.FEATHERFLIGHT_TEST_SHRINK === undefined },
      );
      expect(compared).toBeGreaterThan(0);
    } finally {
      await history.close();
      await store.close();
      rmSync(root, { recursive: true, force: true });
    }
  },
  60_000 + numRuns * 2000,
);

/** The source a third at a time. */
function grow(scenario: Scenario, step: number): Scenario {
  const sources = new Map(
    scenario.views.map(({ source }) => [source, { ...source, rows: source.rows.filter((_, row) => row % 3 <= step) }]),
  );
  return {
    ...scenario,
    views: scenario.views.map((view) => ({ ...view, source: sources.get(view.source) as typeof view.source })),
  };
}

function expectedOf(drawn: ScenarioView, nowUs: bigint) {
  const view = inRange(drawn, undefined, nowUs);
  const keys = new Map(
    drawn.source.rows.map((row) => {
      const raw = drawn.keys.map((key) => row[key.column] ?? null);
      return [JSON.stringify(raw.map(textOf)), raw] as const;
    }),
  );
  if (drawn.keys.length === 0) keys.set('[]', []);
  const moments = [nowUs, ...momentsOf(view).filter((moment) => moment > nowUs)];
  return [...keys.values()].flatMap((raw) => {
    const key = raw.map(textOf);
    const settled = answerAt(view, key, nowUs - 60_000_000n);
    return moments.flatMap((timeUs) => {
      const answer = answerAt(view, key, timeUs);
      // Between rows that differ by value alone columns may decide that are not stored: the next run writes what has become visible.
      if (answer !== undefined && answer.ties > 0 && JSON.stringify(answer, asText) !== JSON.stringify(settled, asText))
        return [];
      const { ties: _, ...found } = answer ?? {};
      return { keys: raw.map((value, at) => typed(drawn.keys[at]?.type as KeyType, value)), timeUs, answer: found };
    });
  });
}

function asText(_: string, value: unknown): unknown {
  return typeof value === 'bigint' || typeof value === 'number' ? String(value) : value;
}

/** An entity for each view, as its keys say. */
function withEntities(registry: RegistryDocument, project: string): RegistryDocument {
  const described = { tags: {}, file: 'features/scenario.ts' };
  return {
    ...registry,
    project,
    entities: registry.views.map(({ name, keys }) => ({ ...described, name: `e_${name}`, joinKeys: keys })),
    views: registry.views.map((view) => ({ ...view, entities: view.keys.length === 0 ? [] : [`e_${view.name}`] })),
  };
}

function typed(type: KeyType, value: unknown): LiteralValue {
  if (value === null) return null;
  if (type === 'int64') return BigInt(value as number | bigint);
  return type === 'int32' ? Number(value) : (value as LiteralValue);
}

function textOf(value: unknown): string | null {
  if (value === null) return null;
  return value instanceof Uint8Array ? Buffer.from(value).toString('hex') : String(value);
}

/** The oracle holds dates as days. */
function naive(type: ValueType, value: unknown): unknown {
  if (value === null) return null;
  if (type.kind === 'date') return parseDay(value as string);
  if (type.kind === 'list') return (value as unknown[]).map((item) => naive(type.element, item));
  return value;
}
