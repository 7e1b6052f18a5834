/** Stored reports: kept whole, listed by kind and time, and no more of them than are wanted. */
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { openReports, type ReportEnvelope } from '../../src/validate/reports.ts';

const directory = mkdtempSync(join(tmpdir(), 'reports-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const report = (id: string, minute: number, kind: ReportEnvelope['kind'] = 'parity') => ({
  ...{ id, kind, created_at: `2026-03-10T12:0${minute}:00.000000Z`, from: null, to: null },
  ...{ result: 'PASS' as const, summary: { rows: minute }, features: [{ view: 'v' }] },
});

const envelope = (id: string, minute: number) => ({ ...report(id, minute), features: undefined });

describe('stored reports', () => {
  it('are none where nothing was kept', async () => {
    expect(await openReports({ directory }).list()).toEqual([]);
    await expect(openReports({ directory }).read('a')).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  it('are listed by kind, the newest first, and read whole; the oldest go, and drafts count for nothing', async () => {
    const reports = openReports({ directory, most: 2 });
    for (const [id, minute] of [
      ['a', 1],
      ['b', 3],
      ['c', 2],
    ] as const)
      await reports.keep(report(id, minute));
    await reports.keep(report('d', 4, 'drift'));
    writeFileSync(join(directory, 'parity', '2026-03-10T12-09-00.000000Z-x.json.draft'), '{');
    expect((await reports.list({ kind: 'parity' })).map(({ id }) => id)).toEqual(['b', 'c']);
    expect((await reports.list()).map(({ id }) => id)).toEqual(['d', 'b', 'c']);
    expect((await reports.list({ kind: 'parity' }))[0]).not.toHaveProperty('features');
    const narrow = (one: ReportEnvelope) => (one.id === 'b' ? undefined : { ...one, left_out: 2 });
    expect(await reports.list({ kind: 'parity', limit: 1, narrow })).toEqual([{ ...envelope('c', 2), left_out: 2 }]);
    expect((await reports.list({ limit: 2 })).map(({ id }) => id)).toEqual(['d', 'b']);
    expect(await reports.read('b')).toEqual(report('b', 3));
    await expect(reports.read('a')).rejects.toMatchObject({ code: 'NOT_FOUND' });
    expect(readdirSync(join(directory, 'drift'))).toEqual(['2026-03-10T12-04-00.000000Z-d.json']);
  });

  it('are told without those that are damaged, which are named', async () => {
    const folder = join(directory, 'damaged');
    const damaged: string[] = [];
    const reports = openReports({ directory: folder, onDamaged: (path) => damaged.push(path) });
    await reports.keep(report('a', 1));
    await reports.keep(report('c', 3));
    for (const text of ['{"id": "b", "kind"', 'null', '{}']) {
      damaged.length = 0;
      const path = join(folder, 'parity', '2026-03-10T12-02-00.000000Z-b.json');
      writeFileSync(path, text);
      expect((await reports.list()).map(({ id }) => id)).toEqual(['c', 'a']);
      const whole = await Promise.all((await reports.files('parity')).map(async ({ read }) => (await read())?.id));
      expect(whole).toEqual(['c', undefined, 'a']);
      expect(damaged).toEqual([path, path]);
      await expect(reports.read('b')).rejects.toMatchObject({
        code: 'DATA_LOSS',
        message: `report "b" is damaged: remove ${path}, and check again`,
      });
    }
  });
});
