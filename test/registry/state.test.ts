import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import type { RegistryDocument } from '../../src/registry/document.ts';
import { isAlive, ownRecord } from '../../src/registry/owner.ts';
import { openState, readState } from '../../src/registry/state.ts';

const folder = mkdtempSync(join(tmpdir(), 'featherflight-state-'));
const children: ChildProcess[] = [];
afterAll(() => {
  for (const child of children) child.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

let number = 0;
const newDirectory = () => join(folder, `state-${number++}`);
const document = (version: number): RegistryDocument => ({
  format: 1,
  project: 'p',
  version,
  appliedAt: '2026-03-10T12:00:00Z',
  entities: [],
  sources: [],
  views: [],
  services: [],
});

/** Starts a process that tries to hold the state, and waits for its first word. */
const hold = async (directory: string, ...within: string[]): Promise<{ child: ChildProcess; said: string }> => {
  const script = fileURLToPath(new URL('./hold-state.mjs', import.meta.url));
  const [program = '', ...args] = [...within, process.execPath, script, directory, 'grpc://127.0.0.1:8815'];
  const child = spawn(program, args, {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  children.push(child);
  const [data] = (await once(child.stdout as NodeJS.ReadableStream, 'data')) as [Buffer];
  return { child, said: String(data).trim() };
};

describe('the state', () => {
  it('keeps documents by version, the last one current', async () => {
    const directory = newDirectory();
    const state = await openState(directory, { purpose: 'apply' });
    expect(state.readDocument()).toBeUndefined();
    await state.writeDocument(document(1));
    await state.writeDocument(document(2));
    await state.close();
    const again = readState(directory);
    expect(again.readDocument()).toEqual(document(2));
    expect(again.readDocument(1)).toEqual(document(1));
    expect(again.readDocument(3)).toBeUndefined();
    await again.close();
  });

  it('is closed once, however often it is told, and leaves whoever holds it next alone', async () => {
    const directory = newDirectory();
    const first = await openState(directory, { purpose: 'apply' });
    await Promise.all([first.close(), first.close()]);
    const next = await openState(directory, { purpose: 'serve' });
    await first.close();
    expect(next.readOwner()).toMatchObject({ purpose: 'serve' });
    await expect(openState(directory, { purpose: 'apply' })).rejects.toMatchObject({ code: 'FAILED_PRECONDITION' });
    await next.close();
    const reader = readState(directory);
    await reader.close();
    await reader.close();
  });

  it('refuses a document that skips or repeats a version', async () => {
    const state = await openState(newDirectory(), { purpose: 'apply' });
    await state.writeDocument(document(1));
    await expect(state.writeDocument(document(1))).rejects.toMatchObject({
      code: 'ABORTED',
      message: expect.stringContaining('plan again'),
    });
    await expect(state.writeDocument(document(3))).rejects.toMatchObject({ code: 'ABORTED' });
    expect(state.readDocument()?.version).toBe(1);
    await state.close();
  });

  it('keeps small values and removes them', async () => {
    const directory = newDirectory();
    const state = await openState(directory, { purpose: 'serve' });
    await state.writeValue('fitted/a', { day: '2026-03-10', value: null });
    await state.writeValue('fitted/b', [1]);
    await state.writeValue('fitted/b', undefined);
    const beside = readState(directory);
    expect(beside.readValue('fitted/a')).toEqual({ day: '2026-03-10', value: null });
    expect(beside.readValue('fitted/b')).toBeUndefined();
    await beside.close();
    await state.close();
  });

  it('makes a secret once and keeps it', async () => {
    const directory = newDirectory();
    const first = await openState(directory, { purpose: 'serve' });
    const secret = await first.ensureSecret('tickets');
    const other = await first.ensureSecret('cursors');
    await first.close();
    const second = await openState(directory, { purpose: 'serve' });
    expect(await second.ensureSecret('tickets')).toEqual(secret);
    await second.close();
    expect(secret).toHaveLength(32);
    expect(other).not.toEqual(secret);
  });

  it('reads as empty where nothing was ever written', async () => {
    const state = readState(newDirectory());
    expect([state.readDocument(), state.readValue('x'), state.readOwner()]).toEqual([undefined, undefined, undefined]);
    await state.close();
  });

  it('says so when the file is not a state', async () => {
    const directory = newDirectory();
    await (await openState(directory, { purpose: 'apply' })).close();
    writeFileSync(join(directory, 'registry.mdb'), 'no database'.repeat(2000));
    expect(() => readState(directory)).toThrow(
      expect.objectContaining({ code: 'FAILED_PRECONDITION', message: expect.stringContaining(directory) }),
    );
  });
});

/** Where a process sees none but its own, and is the first of them. */
const container = ['unshare', '--pid', '--fork', '--kill-child', '--mount-proc'];
const canHaveContainers =
  process.platform === 'linux' && spawnSync(container[0] as string, [...container.slice(1), 'true']).status === 0;

describe('the owner of the state', () => {
  it('is one: a second writer is refused with process and address, a reader is not', async () => {
    const directory = newDirectory();
    const state = await openState(directory, { purpose: 'serve', address: 'grpc://127.0.0.1:1234' });
    await expect(openState(directory, { purpose: 'apply' })).rejects.toMatchObject({
      code: 'FAILED_PRECONDITION',
      message: expect.stringMatching(`process ${process.pid} \\(featherflight serve at grpc://127.0.0.1:1234\\)`),
      details: { pid: process.pid, address: 'grpc://127.0.0.1:1234' },
    });
    const beside = readState(directory);
    expect(beside.readOwner()).toMatchObject({ pid: process.pid, purpose: 'serve' });
    await beside.close();
    await state.close();
    await (await openState(directory, { purpose: 'apply' })).close();
    expect(readState(directory).readOwner()).toBeUndefined();
  });

  it('in another process holds until that process is gone, however it went', async () => {
    const directory = newDirectory();
    const { child, said } = await hold(directory);
    expect(said).toBe('held');
    await expect(openState(directory, { purpose: 'apply' })).rejects.toMatchObject({ details: { pid: child.pid } });
    expect((await hold(directory)).said).toBe('FAILED_PRECONDITION');
    child.kill('SIGKILL');
    await once(child, 'exit');
    const state = await openState(directory, { purpose: 'apply' });
    await state.close();
  });

  it.runIf(canHaveContainers)('in another container holds, though both are process 1 there, until it is gone', async () => {
    const directory = newDirectory();
    const first = await hold(directory, ...container);
    expect(first.said).toBe('held');
    expect((await hold(directory, ...container)).said).toBe('FAILED_PRECONDITION');
    await expect(openState(directory, { purpose: 'apply' })).rejects.toMatchObject({ details: { pid: 1 } });
    first.child.kill('SIGKILL');
    await once(first.child, 'exit');
    await expect.poll(async () => (await hold(directory, ...container)).said, { timeout: 10_000 }).toBe('held');
  });

  it('leaves no socket behind, in however deep a folder', async () => {
    const directory = join(newDirectory(), 'a folder whose path is long '.repeat(5), 'state');
    const state = await openState(directory, { purpose: 'apply' });
    const sockets = () => readdirSync(directory).filter((name) => name.endsWith('.sock'));
    expect(sockets()).toHaveLength(1);
    await expect(openState(directory, { purpose: 'apply' })).rejects.toMatchObject({ code: 'FAILED_PRECONDITION' });
    expect(sockets()).toHaveLength(1);
    await state.close();
    expect(sockets()).toEqual([]);
  });

  it('of several that come at once is exactly one', async () => {
    const directory = newDirectory();
    const tries = await Promise.all(Array.from({ length: 4 }, () => hold(directory)));
    expect(tries.map(({ said }) => said).sort()).toEqual([
      'FAILED_PRECONDITION',
      'FAILED_PRECONDITION',
      'FAILED_PRECONDITION',
      'held',
    ]);
  });

  it('is told from a later process with the same number by the time it started', () => {
    const own = ownRecord('serve');
    expect(isAlive(own)).toBe(true);
    expect(isAlive({ ...own, started: '1' })).toBe(false);
    expect(isAlive({ ...own, pid: 4_194_300 })).toBe(false);
  });
});
