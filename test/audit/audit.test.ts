/** The audit log of a process: what stands in it before an act is done, after it, and when it could not be written. */
import { appendFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { actingAs, countRefusal } from '../../src/audit/acting.ts';
import { type Actor, localActor, scheduler, traceIdOf } from '../../src/audit/actor.ts';
import { type Act, type Audit, auditDirectory, openAudit } from '../../src/audit/audit.ts';
import type { AuditEntry } from '../../src/audit/entry.ts';
import { type AuditQuery, auditQuerySchema } from '../../src/audit/query.ts';
import { readAudit } from '../../src/audit/read.ts';
import { FeatureStoreError } from '../../src/errors.ts';
import { silentLogger } from '../../src/observe.ts';

const ranker: Actor = { caller: 'ranker', token: '0123456789ab', door: 'http', address: '10.0.0.7', requestId: 'r-1' };

let storage: string;
let clockMs: number;

beforeEach(() => {
  storage = mkdtempSync(join(tmpdir(), 'featherflight-audit-'));
  clockMs = Date.UTC(2026, 2, 10, 12);
});
afterEach(() => rmSync(storage, { recursive: true, force: true }));

/** A state of its own, as each server has one. */
function makeState() {
  const values = new Map<string, unknown>();
  return {
    readValue: (key: string) => values.get(key),
    async writeValue(key: string, value: unknown) {
      values.set(key, value);
    },
  };
}

const open = (state = makeState(), audit = { enabled: true, keepDays: 400 }, logger = silentLogger) =>
  openAudit({ storage, audit }, state, logger, () => clockMs);
const directory = () => auditDirectory({ storage });
const files = () => (existsSync(directory()) ? readdirSync(directory()).sort() : []);
const linesOf = (file: string) => readFileSync(join(directory(), file), 'utf8').split('\n').filter(Boolean);
const ask = (audit: Pick<Audit, 'read'>, query: Partial<AuditQuery> = {}) => audit.read(auditQuerySchema.parse(query));
const act = (given: Partial<Act<unknown>> = {}): Act<unknown> => ({
  action: 'materialize',
  names: ['profile'],
  tell: () => ({ what: 'three rows' }),
  ...given,
});
const failing =
  (code: ConstructorParameters<typeof FeatureStoreError>[0], details = {}) =>
  async () => {
    throw new FeatureStoreError(code, 'user 42 is wrong', { details });
  };

describe('an act', () => {
  it('is in the log as begun before it is done, and as done before it is acknowledged', async () => {
    const audit = await open();
    let during: readonly AuditEntry[] = [];
    let seenByOthers: readonly AuditEntry[] = [];
    const result = await audit.act(ranker, act({ details: { end: null } }), async () => {
      during = (await ask(audit)).entries;
      seenByOthers = (await readAudit(directory(), auditQuerySchema.parse({}))).entries;
      return 7;
    });
    expect(result).toBe(7);
    expect(during).toMatchObject([{ outcome: 'running', names: ['profile'], details: { end: null } }]);
    expect(seenByOthers).toEqual([{ ...during[0], outcome: 'unfinished' }]);
    expect((await readAudit(directory(), auditQuerySchema.parse({}))).entries).toEqual([
      { ...during[0], outcome: 'done', what: 'three rows', ms: expect.any(Number) },
    ]);
    expect(during[0]).toMatchObject({
      ...{ at: '2026-03-10T12:00:00.000Z', caller: 'ranker', token: '0123456789ab', user: null, door: 'http' },
      ...{ address: '10.0.0.7', request_id: 'r-1', trace_id: null, requests: null, rows: null },
    });
  });

  it('that is refused or fails is told by its code, and not by a message that may have keys in it', async () => {
    const audit = await open();
    await expect(audit.act(ranker, act(), failing('INVALID_ARGUMENT'))).rejects.toThrow('user 42');
    await expect(audit.act(ranker, act(), failing('UNAVAILABLE', { materialized: ['item'] }))).rejects.toThrow('user 42');
    await expect(audit.act(ranker, act(), () => Promise.reject(new RangeError('42')))).rejects.toThrow('42');
    expect((await ask(audit)).entries).toMatchObject([
      { outcome: 'failed', code: 'INTERNAL' },
      { outcome: 'failed', code: 'UNAVAILABLE', details: { materialized: ['item'] } },
      { outcome: 'refused', code: 'INVALID_ARGUMENT', what: '' },
    ]);
    expect(files().flatMap(linesOf).join()).not.toContain('42 is');
  });

  it('is not done where the log cannot be written', async () => {
    const audit = await open();
    writeFileSync(directory(), 'no folder');
    let done = false;
    const refused = audit.act(ranker, act(), async () => {
      done = true;
    });
    await expect(refused).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      message: expect.stringMatching(/audit log cannot be written, so nothing was done: .*enabled: false/),
    });
    expect(done).toBe(false);
    expect(audit.counts()).toEqual({ refused: 1, unfinished: 0, waiting: 0 });
  });

  it('that is done stays begun in the log, and says so, where its end cannot be written', async () => {
    const errors: string[] = [];
    const audit = await open(makeState(), undefined, { ...silentLogger, error: (_, message) => errors.push(message) });
    await audit.act(ranker, act(), async () => {
      rmSync(directory(), { recursive: true });
      writeFileSync(directory(), 'no folder');
    });
    expect(errors).toEqual(['the end of an act is not in the audit log']);
    expect(audit.counts()).toEqual({ refused: 0, unfinished: 1, waiting: 0 });
  });

  it('that nobody asked for has a line when it changes something or fails', async () => {
    const audit = await open();
    const unasked = { isChange: (rows: unknown) => rows !== 0, isFailure: (error: unknown) => String(error).includes('wrong') };
    await audit.act(scheduler, act({ unasked }), async () => 0);
    await expect(audit.act(scheduler, act({ unasked }), () => Promise.reject(new Error('busy')))).rejects.toThrow('busy');
    expect((await ask(audit)).entries).toEqual([]);
    await audit.act(scheduler, act({ unasked, names: ['end'] }), async () => 3);
    await audit.act(scheduler, act({ unasked, names: ['midst'] }), async (changed) => {
      changed();
      await expect.poll(async () => (await ask(audit)).entries[0]).toMatchObject({ outcome: 'running', names: ['midst'] });
      return 0;
    });
    await expect(audit.act(scheduler, act({ unasked, names: ['wrong'] }), failing('ABORTED'))).rejects.toThrow('wrong');
    expect((await ask(audit)).entries).toMatchObject([
      { names: ['wrong'], outcome: 'failed', code: 'ABORTED', caller: 'scheduler', door: 'server' },
      { names: ['midst'], outcome: 'done' },
      { names: ['end'], outcome: 'done' },
    ]);
  });

  it('of which more is named than a line should have is cut', async () => {
    const audit = await open();
    await audit.act(ranker, act({ names: Array.from({ length: 500 }, () => 'x'.repeat(5000)) }), async () => {});
    const [entry] = (await ask(audit)).entries;
    expect(entry?.names.length).toBe(100);
    expect(entry?.names[0]?.length).toBe(200);
  });

  it('that ends on another day is told on the day that it began', async () => {
    const audit = await open();
    await audit.act(ranker, act(), async () => {
      clockMs += 86_400_000;
    });
    expect(files()).toEqual([expect.stringMatching(/^2026-03-10-[0-9a-f]{12}\.jsonl$/)]);
    expect((await ask(audit)).entries).toMatchObject([{ outcome: 'done' }]);
  });
});

describe('counted acts', () => {
  it('are one line for each caller, name and end, with how many there were and the rows', async () => {
    const audit = await open();
    const acting = actingAs(audit, ranker);
    for (let at = 0; at < 1000; at++) {
      clockMs += 10;
      await acting.count('push', 'clicks', async () => ({ rows: 2 }));
    }
    await expect(acting.count('push', 'clicks', failing('INVALID_ARGUMENT'))).rejects.toThrow();
    await actingAs(audit, { ...ranker, address: '10.0.0.8' }).count('push', 'clicks', async () => ({ rows: 1 }));
    await actingAs(audit, localActor()).count('write_online', 'profile', async () => ({ rows: 1 }));
    const { entries } = await ask(audit);
    expect(entries).toHaveLength(3);
    expect(entries.find(({ outcome, action }) => action === 'push' && outcome === 'done')).toMatchObject({
      ...{ caller: 'ranker', names: ['clicks'], requests: 1001, rows: 2001, address: null, request_id: null },
      ...{ at: '2026-03-10T12:00:00.010Z', until: '2026-03-10T12:00:10.000Z', what: '2001 rows in 1001 requests' },
    });
    expect(entries).toContainEqual(
      expect.objectContaining({ outcome: 'refused', code: 'INVALID_ARGUMENT', requests: 1, rows: null, request_id: 'r-1' }),
    );
    expect(entries).toContainEqual(expect.objectContaining({ action: 'write_online', caller: 'local', rows: 1 }));
    expect((await ask(audit)).entries).toEqual(entries);
  });

  it('that were refused for want of a right are told apart by where they came from, and others are none of its matter', async () => {
    const audit = await open();
    const denied = new FeatureStoreError('PERMISSION_DENIED', 'no', { details: { view: 'item', token: 'other' } });
    const unknown = new FeatureStoreError('UNAUTHENTICATED', 'revoked', { details: { token: 'ffffffffffff' } });
    for (const address of ['10.0.0.1', '10.0.0.2', '10.0.0.2']) {
      countRefusal(audit, { ...ranker, address }, 'erase', denied);
      countRefusal(audit, { caller: 'nobody', door: 'flight', address }, 'apply', unknown);
      countRefusal(audit, { ...ranker, address }, 'erase', new FeatureStoreError('NOT_FOUND', 'no'));
    }
    const { entries } = await ask(audit);
    expect(
      entries
        .map(({ action, caller, token, address, requests, names, code }) => [
          action,
          caller,
          token,
          address,
          requests,
          names,
          code,
        ])
        .sort(),
    ).toEqual([
      ['apply', 'nobody', 'ffffffffffff', '10.0.0.1', 1, [], 'UNAUTHENTICATED'],
      ['apply', 'nobody', 'ffffffffffff', '10.0.0.2', 2, [], 'UNAUTHENTICATED'],
      ['erase', 'ranker', '0123456789ab', '10.0.0.1', 1, ['item'], 'PERMISSION_DENIED'],
      ['erase', 'ranker', '0123456789ab', '10.0.0.2', 2, ['item'], 'PERMISSION_DENIED'],
    ]);
  });

  it('under more names than are told apart are counted together, and none is lost', async () => {
    const audit = await open();
    const acting = actingAs(audit, ranker);
    for (let at = 0; at < 3000; at++) await acting.count('push', `source ${at}`, async () => ({ rows: 1 }));
    const { entries } = await ask(audit, { limit: 1000 });
    const { entries: rest } = await ask(audit, { limit: 1000, before: entries.at(-1)?.id });
    const all = [...entries, ...rest];
    expect(all).toHaveLength(1001);
    expect(all.filter(({ names }) => names.length === 0)).toMatchObject([{ requests: 2000, rows: 2000 }]);
  });

  it('wait where the log cannot be written, and are there when it can', async () => {
    const errors: object[] = [];
    const audit = await open(makeState(), undefined, { ...silentLogger, error: (fields) => errors.push(fields) });
    writeFileSync(directory(), 'no folder');
    const acting = actingAs(audit, ranker);
    await acting.count('push', 'clicks', async () => ({ rows: 2 }));
    await expect(ask(audit)).rejects.toThrow();
    expect(errors).toMatchObject([{ waiting: 1 }]);
    expect(audit.counts()).toEqual({ refused: 0, unfinished: 0, waiting: 1 });
    rmSync(directory());
    await acting.count('push', 'clicks', async () => ({ rows: 3 }));
    expect((await ask(audit)).entries.map(({ rows }) => rows).sort()).toEqual([2, 3]);
    expect(audit.counts().waiting).toBe(0);
  });

  it('are written when the log is closed', async () => {
    const audit = await open();
    await actingAs(audit, ranker).count('push', 'clicks', async () => ({ rows: 2 }));
    expect(files()).toEqual([]);
    await audit.close();
    expect((await readAudit(directory(), auditQuerySchema.parse({}))).entries).toMatchObject([{ rows: 2 }]);
  });
});

describe('the files', () => {
  it('are those of one writer for each state, also after it is opened again', async () => {
    const [state, other] = [makeState(), makeState()];
    for (const one of [state, other, state]) {
      const audit = await open(one);
      await audit.act(localActor(), act(), async () => {});
      await audit.close();
    }
    expect(
      files()
        .map((file) => linesOf(file).length)
        .sort(),
    ).toEqual([2, 4]);
    expect((await ask(await open(other))).entries).toHaveLength(3);
  });

  it('with a line that was cut short are read without it, told of, and gone on with on a new line', async () => {
    const state = makeState();
    const audit = await open(state);
    await audit.act(localActor(), act({ names: ['before'] }), async () => {});
    const [file] = files() as [string];
    const [begun, ended] = linesOf(file) as [string, string];
    writeFileSync(join(directory(), file), `${begun}\n${ended.slice(0, -30)}`);
    clockMs += 1;
    const again = await open(state);
    expect(await ask(again)).toMatchObject({ entries: [{ outcome: 'unfinished' }], damaged: [{ file, lines: 1 }] });
    await again.act(localActor(), act({ names: ['after'] }), async () => {});
    expect(await ask(again)).toMatchObject({
      entries: [
        { names: ['after'], outcome: 'done' },
        { names: ['before'], outcome: 'unfinished' },
      ],
      damaged: [{ file, lines: 1 }],
    });
  });

  it('are cut anywhere, and every act whose line is whole is there', async () => {
    const seed = Date.now();
    const audit = await open();
    for (let at = 0; at < 5; at++) await audit.act(ranker, act({ names: [`view ${at} ü`] }), async () => {});
    const [file] = files() as [string];
    const whole = readFileSync(join(directory(), file));
    await fc.assert(
      fc.asyncProperty(fc.nat(whole.length), async (cut) => {
        writeFileSync(join(directory(), file), whole.subarray(0, cut));
        const text = whole.subarray(0, cut).toString('latin1');
        // The last line is whole also without its newline.
        const kept = whole.subarray(cut, cut + 1).toString() === '\n' ? `${text}\n` : text;
        const count = kept.split('\n').length - 1;
        const { entries, damaged } = await readAudit(directory(), auditQuerySchema.parse({}));
        expect(entries.map(({ names, outcome }) => [names[0], outcome])).toEqual(
          Array.from({ length: Math.ceil(count / 2) }, (_, at) => [
            `view ${at} ü`,
            2 * at + 1 < count ? 'done' : 'unfinished',
          ]).reverse(),
        );
        expect(damaged).toEqual(kept === '' || kept.endsWith('\n') ? [] : [{ file, lines: 1 }]);
      }),
      { seed, numRuns: 60 },
    );
  });

  it('hold lines that are none, other files and empty ones, and nothing of that is an act', async () => {
    const audit = await open();
    await audit.act(ranker, act(), async () => {});
    const [file] = files() as [string];
    appendFileSync(join(directory(), file), 'null\n[]\n{"id": 1}\n{}\nnonsense\n\n');
    writeFileSync(join(directory(), 'notes.txt'), 'nonsense');
    writeFileSync(join(directory(), '2026-03-10-ffffffffffff.jsonl'), '');
    expect(await ask(audit)).toMatchObject({ entries: [{ outcome: 'done' }], damaged: [{ file, lines: 5 }] });
  });

  it('of days that are to be kept no longer are removed, whoever wrote them, when the first line of a day is written', async () => {
    const audit = await open(makeState(), { enabled: true, keepDays: 2 });
    const other = await open();
    for (let day = 0; day < 5; day++) {
      await other.act(ranker, act(), async () => {});
      await audit.act(ranker, act(), async () => {});
      clockMs += 86_400_000;
    }
    expect([...new Set(files().map((file) => file.slice(0, 10)))]).toEqual(['2026-03-12', '2026-03-13', '2026-03-14']);
    expect(files()).toHaveLength(6);
  });

  it('are not written where the config says so, and can still be read', async () => {
    const state = makeState();
    await (await open(state)).act(ranker, act({ names: ['before'] }), async () => {});
    const off = await open(state, { enabled: false, keepDays: 1 });
    clockMs += 10 * 86_400_000;
    expect(await off.act(ranker, act(), async () => 5)).toBe(5);
    off.count(ranker, { action: 'push', name: 'x', rows: 1, code: undefined, byAddress: false });
    await off.done(ranker, 'fill', { what: 'x' });
    await off.close();
    expect((await ask(off)).entries).toMatchObject([{ names: ['before'] }]);
  });
});

describe('what is asked for', () => {
  it('is the same as a plain filter gives, page by page, whoever wrote it', async () => {
    const seed = Date.now();
    const writers = [await open(), await open(), await open()] as const;
    const all: AuditEntry[] = [];
    const actors: Actor[] = [ranker, localActor(), scheduler];
    for (let at = 0; at < 60; at++) {
      clockMs += 3_600_000 * (at % 4 === 0 ? 0 : 1);
      const writer = writers[at % 3] as Audit;
      const given = { names: [`v${at % 5}`], action: at % 2 === 0 ? ('erase' as const) : ('materialize' as const) };
      await writer.act(actors[(at >> 1) % 3] as Actor, act(given), async () => {});
    }
    let before: string | null | undefined;
    while (before !== null) {
      const page = await ask(writers[0], { limit: 7, ...(before === undefined ? {} : { before }) });
      all.push(...page.entries);
      before = page.next;
    }
    expect(all).toHaveLength(60);
    expect(all.map(({ id }) => id)).toEqual(
      all
        .map(({ id }) => id)
        .sort()
        .reverse(),
    );
    const instant = fc.constantFrom(...all.map(({ at }) => at));
    const query = fc.record(
      {
        from: instant,
        to: instant,
        action: fc.constantFrom('erase' as const, 'materialize' as const, 'apply' as const),
        caller: fc.constantFrom('ranker', '0123456789ab', 'local', 'scheduler', localActor().user ?? '', 'nobody else'),
        name: fc.constantFrom('v0', 'v3', 'other'),
        before: fc.constantFrom(...all.map(({ id }) => id)),
        limit: fc.integer({ min: 1, max: 100 }),
      },
      { requiredKeys: [] },
    );
    await fc.assert(
      fc.asyncProperty(query, async ({ limit = 100, ...asked }) => {
        const { from, to, action, caller, name, before: until } = asked;
        const expected = all.filter(
          (one) =>
            (from === undefined || one.at >= from) &&
            (to === undefined || one.at < to) &&
            (action === undefined || one.action === action) &&
            (caller === undefined || [one.caller, one.token, one.user].includes(caller)) &&
            (name === undefined || one.names.includes(name)) &&
            (until === undefined || one.id < until),
        );
        const page = await ask(writers[1], { ...asked, limit });
        expect(page.entries).toEqual(expected.slice(0, limit));
        expect(page.next).toBe(expected.length > limit ? (expected[limit - 1]?.id ?? null) : null);
      }),
      { seed, numRuns: 150 },
    );
  });

  it('is nothing where nothing was ever written', async () => {
    expect(await ask(await open())).toEqual({ entries: [], next: null, damaged: [] });
  });

  it('must be instants, known acts and a limit', () => {
    for (const wrong of [{ from: 'yesterday' }, { to: '' }, { action: 'read' }, { limit: 0 }, { limit: 1001 }, { names: 'x' }])
      expect(auditQuerySchema.safeParse(wrong).success).toBe(false);
    expect(auditQuerySchema.parse({ limit: '7', from: '2026-03-10T12:00:00+01:00' })).toMatchObject({ limit: 7 });
  });
});

it('a trace is known by its parent header', () => {
  expect(traceIdOf('00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01')).toBe('4bf92f3577b34da6a3ce929d0e0e4736');
  expect(traceIdOf(undefined)).toBeUndefined();
  expect(traceIdOf('nonsense')).toBeUndefined();
});
