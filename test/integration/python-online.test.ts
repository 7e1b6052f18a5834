/** The Python client's online half, and erasure from it, against real servers. */
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { runProgram } from '../support/run-program.ts';
import { startServer } from '../support/start-server.ts';
import { makeHttpStore } from './http-store.ts';

const path = (name: string) => fileURLToPath(new URL(name, import.meta.url));
const python = path('../../.venv/bin/python');

it.each(['online_client.py', 'erase_client.py', 'audit_client.py'])('%s runs through: what it asserts is so', async (program) => {
  const server = await startServer(await makeHttpStore());
  try {
    const { status, stdout, stderr } = await runProgram(python, [path(program), server.url]);
    expect(stderr).toBe('');
    expect({ status, stdout }).toEqual({ status: 0, stdout: 'done\n' });
  } finally {
    await server.stop();
  }
});
