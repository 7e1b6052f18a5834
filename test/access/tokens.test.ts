import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { createAccessControl, requireScope, requireViews } from '../../src/access/caller.ts';
import { checkExposure, isLoopback } from '../../src/access/exposure.ts';
import { holdsScope, scopes } from '../../src/access/scope.ts';
import type { TokenRecord } from '../../src/access/token-record.ts';
import { openTokens, readTokens, type Tokens } from '../../src/access/tokens.ts';
import { viewsAsked, viewsOfSource } from '../../src/access/views-asked.ts';
import { silentLogger } from '../../src/observe.ts';
import type { RegistryDocument } from '../../src/registry/document.ts';
import { openState, readState, type StateStore } from '../../src/registry/state.ts';

let directory: string;
let state: StateStore;
let tokens: Tokens;
let told: readonly TokenRecord[];

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'featherflight-tokens-'));
  state = await openState(directory, { purpose: 'test' });
  told = [];
  tokens = openTokens(state, (records) => {
    told = records;
  });
  const opened = { state, directory };
  return async () => {
    await opened.state.close();
    rmSync(opened.directory, { recursive: true, force: true });
  };
});

const access = (nowMs?: () => number) => createAccessControl('shop', tokens.records, nowMs);
const refusal = (code: string, message: RegExp) => expect.objectContaining({ code, message: expect.stringMatching(message) });

describe('tokens', () => {
  it('are shown once and stored as a hash alone', async () => {
    const { token, ...shown } = await tokens.create({ scopes: ['read-online'], description: 'the ranker' });
    expect(token).toMatch(/^ff_[0-9a-f]{12}_[A-Za-z0-9_-]{43}$/);
    expect(tokens.list()).toEqual([shown]);
    expect(JSON.stringify(tokens.list())).not.toContain('hash');
    await state.close();
    // What follows `ff_<id>_`; it may have a `_` of its own.
    const secret = token.slice(`ff_${shown.id}_`.length);
    expect(secret).toHaveLength(43);
    expect(readFileSync(join(directory, 'registry.mdb')).includes(secret)).toBe(false);
    const kept = readState(directory);
    expect(readTokens(kept)).toEqual(told);
    await kept.close();
  });

  it('made at the same time are all kept', async () => {
    await Promise.all(Array.from({ length: 20 }, () => tokens.create({ scopes: ['write'] })));
    expect(new Set(tokens.list().map(({ id }) => id)).size).toBe(20);
    expect(told).toHaveLength(20);
  });

  it('are refused where the wish makes no sense, and by what is wrong with it', async () => {
    await expect(tokens.create({ scopes: ['reed' as 'write'] })).rejects.toEqual(refusal('INVALID_ARGUMENT', /scopes.0/));
    await expect(tokens.create({ scopes: [] })).rejects.toEqual(refusal('INVALID_ARGUMENT', /scopes/));
    await expect(tokens.create({ scopes: ['write'], expires_at: 'tomorrow' })).rejects.toEqual(
      refusal('INVALID_ARGUMENT', /expires_at/),
    );
    expect(tokens.list()).toEqual([]);
  });

  it('that are not there cannot be revoked, by their id', async () => {
    await expect(tokens.revoke('0123456789ab')).rejects.toEqual(refusal('NOT_FOUND', /"0123456789ab"/));
  });
});

describe('a call', () => {
  it('needs no token while the server has none, whatever it sends', () => {
    expect(access().authenticate(undefined).scopes).toEqual(['admin']);
    expect(access().authenticate('of another server').views).toBeUndefined();
  });

  it('needs one as soon as there is any, and after the last was revoked', async () => {
    const { token, id } = await tokens.create({ scopes: ['admin'] });
    expect(access().authenticate(token)).toEqual({ token: id, name: id, scopes: ['admin'], views: undefined });
    await tokens.revoke(id);
    expect(() => access().authenticate(undefined)).toThrow(refusal('UNAUTHENTICATED', /only with a token/));
    expect(() => access().authenticate(token)).toThrow(refusal('UNAUTHENTICATED', new RegExp(`${id} was revoked`)));
  });

  it('is refused with a token that expired, to the millisecond', async () => {
    const { token } = await tokens.create({ scopes: ['write'], expires_at: '2026-03-10T12:00:00+01:00' });
    const expiry = Date.UTC(2026, 2, 10, 11);
    expect(access(() => expiry - 1).authenticate(token).scopes).toEqual(['write']);
    expect(() => access(() => expiry).authenticate(token)).toThrow(refusal('UNAUTHENTICATED', /expired at 2026-03-10T11:00/));
  });

  it('is refused with a token of another project or none of this server', async () => {
    const { token } = await tokens.create({ scopes: ['write'], project: 'bakery' });
    expect(() => access().authenticate(token)).toThrow(refusal('UNAUTHENTICATED', /"bakery".*"shop"/));
    const forged = `${token.slice(0, -1)}${token.endsWith('A') ? 'B' : 'A'}`;
    for (const wrong of [forged, '', 'ff_', `ff_${'0'.repeat(12)}_${'A'.repeat(43)}`, token.toUpperCase()]) {
      expect(() => access().authenticate(wrong)).toThrow(refusal('UNAUTHENTICATED', /none of this server/));
    }
  });

  it('is never let in by a token that was not given out', async () => {
    await tokens.create({ scopes: ['admin'] });
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(() => access().authenticate(text)).toThrow(refusal('UNAUTHENTICATED', /none of this server/));
      }),
    );
  });

  it('may do what the scopes say, and is told which one is missing', () => {
    for (const scope of scopes) {
      expect(holdsScope(['admin'], scope)).toBe(true);
      expect(holdsScope([scope], scope)).toBe(true);
      const others = scopes.filter((other) => other !== scope && other !== 'admin');
      expect(holdsScope(others, scope)).toBe(false);
      const caller = { token: 'abc', name: 'abc', scopes: others, views: undefined };
      expect(() => requireScope(caller, scope)).toThrow(refusal('PERMISSION_DENIED', new RegExp(`"${scope}".*abc`)));
      expect(() => requireScope(caller, 'any')).not.toThrow();
    }
  });

  it('may read the views of its token, and is told which one it may not', () => {
    const caller = { token: 'abc', name: 'abc', scopes: ['read-online'] as const, views: ['user', 'item'] };
    expect(() => requireViews(caller, ['item', 'user'])).not.toThrow();
    expect(() => requireViews(caller, ['item', 'payment'])).toThrow(refusal('PERMISSION_DENIED', /"payment".*"user", "item"/));
    expect(() => requireViews({ ...caller, views: undefined }, ['payment'])).not.toThrow();
  });
});

it('knows the views of features and of a service before anything is read', () => {
  const registry = {
    services: [{ name: 'ranker', features: [{ view: 'user' }, { view: 'item', prefix: 'candidate' }] }],
    views: [
      { name: 'user', source: 'profiles' },
      { name: 'item', source: 'daily' },
      { name: 'age', source: 'profiles' },
    ],
    onDemandViews: [{ name: 'ratio', inputs: [{ view: 'age' }, { view: 'item', prefix: 'other' }] }],
  } as unknown as RegistryDocument;
  expect([...viewsAsked(registry, { features: ['user:age', 'item@other:price', 'user:city', ':x'] })]).toEqual([
    'user',
    'item',
    '',
  ]);
  expect([...viewsAsked(registry, { service: 'ranker' })]).toEqual(['user', 'item']);
  expect([...viewsAsked(registry, { service: 'nobody' })]).toEqual([]);
  expect([...viewsAsked(registry, { features: ['ratio:x'] })]).toEqual(['ratio', 'age', 'item']);
  expect(viewsOfSource(registry, 'profiles')).toEqual(['user', 'age']);
});

describe('an address that others reach', () => {
  const doors = [
    { door: 'http', host: '127.0.0.1' },
    { door: 'flight', host: '0.0.0.0' },
  ];

  it('is refused without tokens, by the door and what to do', () => {
    const check = () => checkExposure(doors, false, false, silentLogger);
    expect(check).toThrow(refusal('FAILED_PRECONDITION', /flight.host is 0.0.0.0.*token create.*insecure: true/));
  });

  it('is taken with tokens, and with a warning where the config says insecure', () => {
    const warnings: object[] = [];
    const logger = { ...silentLogger, warn: (fields: object) => warnings.push(fields) };
    checkExposure(doors, true, false, logger);
    expect(warnings).toEqual([]);
    checkExposure(doors, false, true, logger);
    expect(warnings).toEqual([{ door: 'flight', host: '0.0.0.0' }]);
  });

  it('is any that is not surely this machine', () => {
    expect(['127.0.0.1', '127.8.9.1', '::1', '[::1]', 'localhost', '::ffff:127.0.0.1'].every(isLoopback)).toBe(true);
    const others = [
      '0.0.0.0',
      '::',
      '',
      '10.0.0.1',
      '128.0.0.1',
      'example.org',
      'localhost.example.org',
      '127.0.0.1.example.org',
    ];
    expect(others.some(isLoopback)).toBe(false);
  });
});
