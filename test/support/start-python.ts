/** A Python process that runs what a test sends it, as a notebook runs its cells: one namespace, imported once. */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

export const pythonPath = fileURLToPath(new URL('../../.venv/bin/python', import.meta.url));
const runner = fileURLToPath(new URL('./run_code.py', import.meta.url));

export interface PythonProcess {
  readonly pid: number;
  /** Runs code and answers with the value of its last expression, through JSON; rejects with PythonError. */
  run(code: string): Promise<unknown>;
  /** Ends it as a crash would, in the middle of whatever it does. */
  kill(): Promise<void>;
  /** Ends it when it has done what it was sent. */
  close(): Promise<void>;
}

/** An exception that left the code: its class, text and, where it is the client's own, code and details. */
export class PythonError extends Error {
  readonly type: string;
  readonly code: string | null;
  readonly details: Readonly<Record<string, unknown>> | null;
  readonly trace: string;

  constructor(error: { type: string; message: string; code: string | null; details: Record<string, unknown>; trace: string }) {
    super(error.message);
    this.name = 'PythonError';
    this.type = error.type;
    this.code = error.code;
    this.details = error.details;
    this.trace = error.trace;
  }
}

interface Waiting {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
}

/** Starts Python with the names of the file `prelude` in its namespace. */
export function startPython(prelude: string, environment: Readonly<Record<string, string>> = {}): PythonProcess {
  const child = spawn(pythonPath, ['-u', runner, prelude], {
    env: { ...process.env, ...environment },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const waiting: Waiting[] = [];
  let said = '';
  let ended: Error | undefined;
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-10_000);
  });
  createInterface({ input: child.stdout }).on('line', (line) => {
    const { value, error } = JSON.parse(line);
    const next = waiting.shift();
    if (error === undefined) next?.resolve(value);
    else next?.reject(new PythonError(error));
  });
  const exited = new Promise<void>((resolve) => {
    child.on('close', (status, signal) => {
      ended = new Error(`Python ended with ${status ?? signal}: ${said}`);
      for (const { reject } of waiting.splice(0)) reject(ended);
      resolve();
    });
  });
  child.stdin.on('error', () => {}); // it has ended, which `close` tells
  return {
    pid: child.pid as number,
    run: (code) =>
      new Promise((resolve, reject) => {
        if (ended !== undefined) return reject(ended);
        waiting.push({ resolve, reject });
        child.stdin.write(`${JSON.stringify(code)}\n`);
      }),
    kill: async () => {
      child.kill('SIGKILL');
      await exited;
    },
    close: async () => {
      child.stdin.end();
      await exited;
    },
  };
}
