/** The demo's repository is made once, used again, and repaired where its data is missing. */
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { createRepository, ensureStreamRec } from '../../src/demo/create-repository.ts';

const scratch = mkdtempSync(join(tmpdir(), 'featherflight-repository-'));

afterAll(() => rmSync(scratch, { recursive: true, force: true }));

describe('createRepository', () => {
  it('has the data that the definitions read, and says how much', async () => {
    const said: string[] = [];
    const directory = join(scratch, 'streamrec');
    await ensureStreamRec(directory, (line) => said.push(line));
    const clicks = Number(/data\/clicks +([\d,]+) rows/.exec(said.join('\n'))?.[1]?.replaceAll(',', ''));
    expect(clicks).toBeGreaterThanOrEqual(200_000);
    for (const name of ['users', 'items']) {
      const definitions = readFileSync(join(directory, 'features', `${name}.ts`), 'utf8');
      const folder = /parquet\('(.+)\/\*\.parquet'\)/.exec(definitions)?.[1] as string;
      expect(existsSync(join(directory, folder))).toBe(true);
    }

    const frame = join(directory, 'data', 'frame.parquet');
    const before = statSync(frame).mtimeMs;
    await ensureStreamRec(directory, () => {});
    expect(statSync(frame).mtimeMs).toBe(before);
    rmSync(frame);
    await ensureStreamRec(directory, () => {});
    expect(existsSync(frame)).toBe(true);
  }, 60_000);

  it('generates nothing for the minimal template', async () => {
    const said: string[] = [];
    await createRepository('minimal', join(scratch, 'minimal'), (line) => said.push(line));
    expect(said).toEqual([]);
    expect(existsSync(join(scratch, 'minimal', 'data', 'customer_daily.csv'))).toBe(true);
  });
});
