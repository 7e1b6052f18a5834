/** What is read for an online store, against the oracle: it must answer as the point-in-time join does from the instant on. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseDay } from '../../src/definitions/day.ts';
import { parseDurationUs } from '../../src/definitions/duration.ts';
import type { ValueType } from '../../src/definitions/value-type.ts';
import type { History } from '../../src/offline/history.ts';
import { type LatestRow, type LatestRule, readLatest } from '../../src/offline/latest.ts';
import type { SourceDocument, ViewDocument } from '../../src/registry/document.ts';
import { applyScenario, openTestHistory } from '../support/answer-with-engine.ts';
import { NaiveRefusal } from '../support/naive-instant.ts';
import { answerAt, inRange, keysOf, momentsOf } from '../support/naive-latest.ts';
import type { ScenarioView } from '../support/scenario.ts';
import { drawScenario } from './draw-scenario.ts';
import { drawFrom } from './draw-values.ts';

/** FEATHERFLIGHT_TEST_RUNS=2000 for a long search. */
const numRuns = Number(process.env.FEATHERFLIGHT_TEST_RUNS ?? 60);
const signalOf = () => new AbortController().signal;

const settings = [
  ['one bucket', {}, numRuns],
  ['many buckets', { bucketBytes: 256 }, Math.ceil(numRuns / 3)],
] as const;

describe.each(settings)('sections 3 and 8, sources of %s', (_, sizes, runs) => {
  const root = mkdtempSync(join(tmpdir(), 'latest-'));
  let history: History;
  beforeAll(async () => {
    history = await openTestHistory(root, sizes);
  });
  afterAll(async () => {
    await history.close();
    rmSync(root, { recursive: true, force: true });
  });

  test(
    'the rows read answer as the join does, and no row is read for nothing',
    async () => {
      let count = 0;
      let compared = 0;
      await fc.assert(
        fc.asyncProperty(fc.gen(), async (g) => {
          const scenario = drawScenario(g, `l${count++ % 20}`);
          const draw = drawFrom(g);
          const endUs = draw.time();
          const startUs = draw.chance(30) ? endUs - BigInt(draw.int(0, 100)) * 3_600_000_000n : undefined;
          const visibleAtUs = draw.chance(50) ? endUs : draw.time();
          const registry = await applyScenario(history, root, scenario);
          for (const [at, drawn] of scenario.views.entries()) {
            const document = registry.views[at] as ViewDocument;
            const source = registry.sources.find(({ name }) => name === document.source) as SourceDocument;
            const asKnown = document.asKnown && source.createdTimestamp !== undefined;
            const delayUs = drawn.delay === undefined ? 0n : parseDurationUs(drawn.delay);
            const rule = { delayUs, asKnown, startUs, endUs, visibleAtUs };
            let view: ScenarioView;
            try {
              for (const key of keysOf(drawn)) answerAt(drawn, key, endUs);
              view = inRange(drawn, startUs, endUs);
            } catch (error) {
              if (!(error instanceof NaiveRefusal)) throw error;
              await expect(readAll(history, document, source, rule)).rejects.toThrow();
              continue;
            }
            const rows = await readAll(history, document, source, rule);
            const byKey = groupByKey(rows);
            for (const [text, own] of byKey) {
              const waiting = own.filter((row) => visibleFrom(row, rule) > visibleAtUs);
              expect([text, own.length - waiting.length <= 1]).toEqual([text, true]);
            }
            for (const key of keysOf(view)) {
              const own = byKey.get(JSON.stringify(key)) ?? [];
              for (const timeUs of [visibleAtUs, ...momentsOf(view).filter((moment) => moment > visibleAtUs)]) {
                const found = own.find((row) => visibleFrom(row, rule) <= timeUs);
                const values = found?.values.map((value, index) => naive(drawn.features[index]?.type as ValueType, value));
                const actual = found && { eventUs: found.eventUs, values };
                const { ties: _, ...expected } = answerAt(view, key, timeUs) ?? {};
                expect([key, timeUs, actual ?? {}]).toEqual([key, timeUs, expected]);
                compared += found === undefined ? 0 : 1;
              }
            }
          }
        }),
        { numRuns: runs, endOnFailure: process.env.FEATHERFLIGHT_TEST_SHRINK === undefined },
      );
      expect(compared).toBeGreaterThan(0);
    },
    60_000 + runs * 1000,
  );
});

async function readAll(history: History, view: ViewDocument, source: SourceDocument, rule: LatestRule): Promise<LatestRow[]> {
  const projection = await history.openProjection(view, source, signalOf());
  try {
    const rows: LatestRow[] = [];
    let last = -1;
    for await (const block of readLatest(projection, rule, signalOf())) {
      expect(block.ranges[0]?.from).toBe(0);
      for (const { range, keys, from, to } of block.ranges) {
        expect(range).toBeGreaterThan(last);
        last = range;
        const read = block.read(from, to);
        expect(read.length).toBe(to - from);
        expect(new Set(read.map((row) => JSON.stringify(row.keys.map(textOf)))).size).toBe(keys);
        rows.push(...read);
      }
      expect(block.owners.length).toBe(block.ranges.at(-1)?.to);
    }
    return rows;
  } finally {
    projection.release();
  }
}

function groupByKey(rows: readonly LatestRow[]): ReadonlyMap<string, LatestRow[]> {
  const groups = new Map<string, LatestRow[]>();
  for (const row of rows) {
    const key = JSON.stringify(row.keys.map(textOf));
    groups.set(key, [...(groups.get(key) ?? []), row]);
  }
  return groups;
}

function visibleFrom({ eventUs, createdUs, availableUs }: LatestRow, { delayUs, asKnown }: LatestRule): bigint {
  const instants = [eventUs + delayUs, ...(availableUs === null ? [] : [availableUs]), ...(asKnown ? [createdUs as bigint] : [])];
  return instants.sort((a, b) => (a < b ? 1 : -1))[0] as bigint;
}

function textOf(value: unknown): string {
  return value instanceof Uint8Array ? Buffer.from(value).toString('hex') : String(value);
}

/** The oracle holds dates as days. */
function naive(type: ValueType, value: unknown): unknown {
  if (value === null) return null;
  if (type.kind === 'date') return parseDay(value as string);
  if (type.kind === 'list') return (value as unknown[]).map((item) => naive(type.element, item));
  return value;
}
