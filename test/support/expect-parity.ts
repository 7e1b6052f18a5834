/** What a check of parity is to say of an answer that is right: nothing; and of one value of it that is edited: that it is a bug, and no other is. */
import { expect } from 'vitest';
import type { LiteralValue } from '../../src/definitions/literal.ts';
import type { History } from '../../src/offline/history.ts';
import type { OnlineAnswer } from '../../src/online/retrieve/answer.ts';
import { servedFromAnswer } from '../../src/validate/parity/from-answer.ts';
import type { ServedBatch } from '../../src/validate/parity/pairs.ts';
import type { ParityReport } from '../../src/validate/parity/report.ts';
import { runParity } from '../../src/validate/parity/run.ts';

const { signal } = new AbortController();

/** How many values were compared, and whether there was one to edit: `which` chooses it. */
export async function expectParity(history: History, answer: OnlineAnswer, which: number) {
  // Everything was there at T.
  const batch = servedFromAnswer(answer, () => [{ watermarkUs: answer.evaluatedAtUs, next: new Map() }]);
  const clean = await check(history, answer, batch);
  expect(clean.summary, JSON.stringify(clean.features, undefined, 1)).toMatchObject({ differences: 0, causes: {} });
  expect(clean.result).toBe(answer.rows === 0 ? 'NO DATA' : 'PASS');
  const change = editOne(batch, which);
  if (change === undefined) return { pairs: clean.summary.pairs, edited: false };
  const dirty = await check(history, answer, change.batch);
  const found = dirty.features.filter(({ n, within_tolerance: within }) => n > within);
  expect(found.map(({ view, feature }) => `${view}:${feature}`)).toEqual([change.name]);
  expect(dirty.summary, JSON.stringify(found, undefined, 1)).toMatchObject({ differences: 1, examined: 1, causes: { bug: 1 } });
  expect(found[0]?.worst[0]?.evidence.text).toContain('no row or event');
  return { pairs: clean.summary.pairs, edited: true };
}

async function check(history: History, answer: OnlineAnswer, batch: ServedBatch): Promise<ParityReport> {
  /** T is of any year, files are of today: when they were written says nothing here. */
  const contributions: History['contributions'] = async (...wanted) =>
    (await history.contributions(...wanted)).map((rows) => rows.map((row) => ({ ...row, file: undefined, offset: null })));
  const { registry } = answer.origin;
  const parts = { history: { ...history, contributions }, registry, readDocument: () => undefined, erasures: async () => [] };
  async function* batches() {
    yield batch;
  }
  return await runParity(parts, batches(), { mode: 'live', nowUs: answer.evaluatedAtUs, advice: '', signal });
}

/** Another value in the place of one that was found: one that no row makes. */
function editOne(batch: ServedBatch, which: number): { readonly batch: ServedBatch; readonly name: string } | undefined {
  const { outputs } = batch;
  for (let step = 0; step < outputs.length; step++) {
    const at = (which + step) % outputs.length;
    const output = outputs[at] as ServedBatch['outputs'][number];
    const row = output.online.values.findIndex((value, place) => value !== null && output.online.statuses[place] === 0);
    const value = output.online.values[row] as LiteralValue;
    const other = row < 0 ? undefined : otherThan(output.type, value);
    if (other === undefined) continue;
    const values = output.online.values.map((one, place) => (place === row ? other : one));
    const edited = outputs.map((one, place) => (place === at ? { ...one, online: { ...one.online, values } } : one));
    return { batch: { ...batch, outputs: edited }, name: `${output.view}:${output.feature}` };
  }
  return undefined;
}

function otherThan(type: string, value: LiteralValue): LiteralValue | undefined {
  if (type === 'int64') return -(2n ** 62n) + 12_345n;
  if (type === 'float64') return -123_456.789;
  if (type.startsWith('decimal(38')) return type === 'decimal(38,2)' ? '-98765.43' : undefined;
  if (type === 'string') return `${value} ~ edited ~`;
  return type === 'list(string)' ? ['~ edited ~'] : undefined;
}
