import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { parseConfig } from '../../src/config.ts';
import { openOnlineStore } from '../../src/online/open-store.ts';
import { freePort } from '../support/start-redis.ts';

const root = mkdtempSync(join(tmpdir(), 'featherflight-open-store-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

describe('openOnlineStore', () => {
  it('opens the embedded store in the state directory where the config names none', async () => {
    const store = openOnlineStore(parseConfig({ project: 'p' }, root));
    expect(store.name).toBe(`LMDB in ${join(root, '.featherflight')}`);
    await store.check();
    await store.close();
  });

  it('opens Redis where the environment names it, though it is away', async () => {
    const address = `127.0.0.1:${await freePort()}`;
    const config = parseConfig({ project: 'p' }, root, { FEATHERFLIGHT_REDIS_URL: `redis://user:s3cret@${address}` });
    const store = openOnlineStore(config);
    expect(store.name).toBe(`Redis at ${address}`);
    await expect(store.check()).rejects.toMatchObject({ code: 'UNAVAILABLE', message: expect.stringContaining(address) });
    await store.close();
  });
});
