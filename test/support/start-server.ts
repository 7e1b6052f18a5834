/** Real servers for tests: `featherflight serve` in a process of its own, on a free port, over a given repository. */
import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { runProgram } from './run-program.ts';

export const cliPath = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

export interface ServerProcess {
  /** `grpc://host:port`, or with TLS `grpc+tls://…`. */
  readonly url: string;
  /** `http://host:port`, or with TLS `https://…`. */
  readonly http: string;
  readonly pid: number;
  /** Everything it wrote so far, standard output and standard error. */
  log(): string;
  /** Sends a signal (SIGTERM) and resolves when the process is gone; one that is gone already answers too. */
  stop(signal?: NodeJS.Signals): Promise<ServerExit>;
  readonly exited: Promise<ServerExit>;
}

export interface ServerExit {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface ServerOptions {
  readonly environment?: Readonly<Record<string, string>>;
  /** Further arguments of `serve`. */
  readonly args?: readonly string[];
}

/** Free ports for whatever a command opens. */
export const freePorts = { FEATHERFLIGHT_FLIGHT_PORT: '0', FEATHERFLIGHT_HTTP_PORT: '0' } as const;

/** Starts a server and resolves when it listens; rejects with what it wrote if it ends before. */
export async function startServer(directory: string, options: ServerOptions = {}): Promise<ServerProcess> {
  const child = spawn(process.execPath, [cliPath, '-C', directory, 'serve', ...(options.args ?? [])], {
    env: { ...process.env, ...freePorts, ...options.environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let written = '';
  const exited = new Promise<ServerExit>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (status, signal) => resolve({ status, signal }));
  });
  const { url, http } = await new Promise<{ url: string; http: string }>((resolve, reject) => {
    const listen = (chunk: Buffer): void => {
      written += chunk.toString();
      const flight = /grpc(?:\+tls)?:\/\/[^\s"]+/.exec(written)?.[0];
      const web = /https?:\/\/[^\s"]+/.exec(written)?.[0];
      if (flight !== undefined && web !== undefined) resolve({ url: flight, http: web });
    };
    child.stdout.on('data', listen);
    child.stderr.on('data', listen);
    exited.then(({ status, signal }) => reject(new Error(`the server ended with ${status ?? signal}: ${written}`)), reject);
  });
  return {
    url,
    http,
    pid: child.pid as number,
    log: () => written,
    stop: (signal) => stopProcess(child, exited, signal),
    exited,
  };
}

/** Makes what a repository's files define the applied state, as `featherflight apply` does. */
export async function applyRepository(directory: string): Promise<void> {
  const { status, stderr } = await runProgram(process.execPath, [cliPath, '-C', directory, 'apply', '--yes']);
  if (status !== 0) throw new Error(`featherflight apply ended with ${status}: ${stderr}`);
}

async function stopProcess(
  child: ChildProcess,
  exited: Promise<ServerExit>,
  signal: NodeJS.Signals = 'SIGTERM',
): Promise<ServerExit> {
  if (child.exitCode === null && child.signalCode === null) child.kill(signal);
  return await exited;
}
