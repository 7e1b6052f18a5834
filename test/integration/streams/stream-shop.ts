/** A repository of the shop's stream features, served by processes of the built server that may be killed at any time. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { DuckDBInstance } from '@duckdb/node-api';
import { listArchive } from '../../../src/offline/archive/manifest.ts';
import { runProgram } from '../../support/run-program.ts';
import { type ServerProcess, startServer } from '../../support/start-server.ts';

const cliPath = fileURLToPath(new URL('../../../dist/cli/main.js', import.meta.url));

export interface StreamShop {
  readonly directory: string;
  readonly storage: string;
  /** Makes what the files define the applied state of a server. */
  apply(state?: string): Promise<void>;
  /** Servers of different states may run at the same time; they share the online store and the storage. */
  start(state?: string, environment?: Readonly<Record<string, string>>): Promise<ServerProcess>;
  /** How often the archive has each `seq`, of the files that count. */
  archived(): Promise<ReadonlyMap<number, number>>;
  /** A command of the command line; resolves to what it wrote, whatever its status. */
  run(args: readonly string[], state?: string): ReturnType<typeof runProgram>;
  remove(): void;
}

export interface StreamShopOptions {
  readonly definitions: string;
  /** Of the config. */
  readonly onlineStore: unknown;
}

export function makeStreamShop({ definitions, onlineStore }: StreamShopOptions): StreamShop {
  const directory = mkdtempSync(join(tmpdir(), 'featherflight-streams-'));
  const storage = join(directory, 'storage');
  mkdirSync(join(directory, 'features'));
  const config = { project: 'shop', onlineStore, offlineEngine: { kind: 'duckdb', threads: 1, memory: '512MB' } };
  writeFileSync(
    join(directory, 'featherflight.config.ts'),
    `import { defineConfig } from 'featherflight';\nexport default defineConfig(${JSON.stringify(config)});\n`,
  );
  writeFileSync(join(directory, 'features/shop.ts'), definitions);
  const environmentOf = (state: string) => ({
    FEATHERFLIGHT_STATE: join(directory, `state-${state}`),
    FEATHERFLIGHT_STORAGE: storage,
    KAFKA_GROUP: 'together',
  });
  const run = (args: readonly string[], state = 'a') =>
    runProgram(process.execPath, [cliPath, '-C', directory, ...args], { environment: environmentOf(state) });
  return {
    directory,
    storage,
    run,
    async apply(state) {
      const { status, stderr } = await run(['apply', '--yes'], state);
      if (status !== 0) throw new Error(`featherflight apply ended with ${status}: ${stderr}`);
    },
    start: (state = 'a', environment = {}) =>
      startServer(directory, { environment: { ...environmentOf(state), ...environment } }),
    async archived() {
      const folder = join(storage, 'archive', 'clicks');
      const files = (await listArchive(folder)).names.map((name) => join(folder, name));
      return new Map(files.length === 0 ? [] : await countSeqs(files));
    },
    remove: () => rmSync(directory, { recursive: true, force: true }),
  };
}

async function countSeqs(files: readonly string[]): Promise<[number, number][]> {
  const instance = await DuckDBInstance.create(':memory:', { threads: '1' });
  const connection = await instance.connect();
  try {
    const list = files.map((file) => `'${file}'`).join(', ');
    const found = await connection.runAndReadAll(`select seq, count(*) from read_parquet([${list}]) group by seq`);
    return found.getRows().map(([seq, count]) => [Number(seq), Number(count)]);
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}
