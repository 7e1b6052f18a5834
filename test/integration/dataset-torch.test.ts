/** Datasets as tensors, by real DataLoaders and ranks of torch.distributed against a real server, with and without what kills them. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runProgram } from '../support/run-program.ts';
import { pythonPath, startPython } from '../support/start-python.ts';
import { type ServerProcess, startServer } from '../support/start-server.ts';
import { makeStore } from './make-store.ts';

const path = (name: string) => fileURLToPath(new URL(name, import.meta.url));
const rows = 6_000;

let directory: string;
let server: ServerProcess;
let ports: Record<string, string>;

beforeAll(async () => {
  directory = await makeStore();
  ports = { FEATHERFLIGHT_FLIGHT_PORT: String(await freePort()), FEATHERFLIGHT_HTTP_PORT: String(await freePort()) };
  server = await startServer(directory, { environment: ports });
  const python = startPython(path('client.py'), { FEATHERFLIGHT_URL: server.url });
  await python.run(`
import numpy as np, pandas as pd, featherflight as ff
frame = pd.DataFrame({"row": np.arange(${rows}), "user_id": np.arange(${rows}) % 900,
                    "event_timestamp": pd.Timestamp("2026-03-04", tz="UTC")})
with ff.connect("${server.url}", progress=False) as store:
  store.create_dataset("ranked", frame, ["user_profile:age", "user_profile:score"])
`);
  await python.close();
}, 120_000);
afterAll(async () => {
  await server?.stop();
});

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => probe.once('listening', resolve));
  const { port } = probe.address() as { port: number };
  await new Promise((resolve) => probe.close(resolve));
  return port;
}

it('gives DataLoader, StatefulDataLoader and NumPy what the training set holds, in one order, and goes on anywhere', async () => {
  const { status, stdout, stderr } = await runProgram(pythonPath, [path('dataset_loader.py'), server.url]);
  expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: 'done\n', stderr: '' });
}, 600_000);

it('gives record batches, Polars frames, arrays and examples in one order, without torch, and goes on from one in another', async () => {
  const { status, stdout, stderr } = await runProgram(pythonPath, [path('dataset_streams.py'), server.url]);
  expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: 'done\n', stderr: '' });
}, 120_000);

it('answers get_dataset to any Flight client, from any server over the storage', async () => {
  const storage = mkdtempSync(join(tmpdir(), 'storage-'));
  const shared = { config: { storage, secret: 'a secret that both servers know' } };
  const servers = [await startServer(await makeStore(shared)), await startServer(await makeStore(shared))] as const;
  try {
    const args = [path('dataset_flight.py'), servers[0].url, servers[1].url, storage];
    const { status, stdout, stderr } = await runProgram(pythonPath, args);
    expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: 'done\n', stderr: '' });
  } finally {
    for (const each of servers) await each.stop();
    rmSync(storage, { recursive: true, force: true });
  }
}, 120_000);

interface Said {
  readonly position: number;
  readonly rows: readonly number[];
  readonly state: { readonly position: number };
}

interface Rank {
  readonly process: ChildProcess;
  readonly said: Said[];
  /** What it wrote to standard error. */
  readonly log: () => string;
  readonly ended: Promise<number | null>;
}

interface RankOptions {
  readonly world: number;
  readonly port: number;
  readonly state: string;
  /** Batches after which these ranks wait, to be killed before the epoch is over. */
  readonly most: number;
  readonly held: readonly number[];
}

function startRank(rank: number, { world, port, state, most, held }: RankOptions): Rank {
  const stop = held.includes(rank) ? String(most) : '-';
  const args = [path('dataset_rank.py'), server.url, String(rank), String(world), String(port), state, stop];
  const child = spawn(pythonPath, args, { stdio: ['pipe', 'pipe', 'pipe'] });
  const said: Said[] = [];
  let log = '';
  child.stderr.on('data', (chunk) => {
    log += chunk;
  });
  createInterface({ input: child.stdout }).on('line', (line) => said.push(JSON.parse(line)));
  return { process: child, said, log: () => log, ended: new Promise((resolve) => child.on('close', resolve)) };
}

async function startRanks(world: number, { state = '-', held = [] as readonly number[] } = {}): Promise<Rank[]> {
  const port = await freePort();
  return Array.from({ length: world }, (_, rank) => startRank(rank, { world, port, state, most: 6, held }));
}

async function finish(ranks: readonly Rank[]): Promise<void> {
  const statuses = await Promise.all(ranks.map((rank) => rank.ended));
  expect({ statuses, log: ranks.map((rank) => rank.log()).join('') }).toMatchObject({ statuses: ranks.map(() => 0) });
}

const inOrder = (said: readonly Said[]) => said.toSorted((a, b) => a.position - b.position).flatMap((batch) => batch.rows);

describe('ranks of torch.distributed', () => {
  let order: number[];

  beforeAll(async () => {
    const [alone] = (await startRanks(1)) as [Rank];
    await finish([alone]);
    order = inOrder(alone.said);
  }, 120_000);

  it('one rank reads every row once, shuffled', () => {
    expect(order.toSorted((a, b) => a - b)).toEqual([...Array(rows).keys()]);
    expect(order.slice(0, 100)).not.toEqual([...Array(100).keys()]);
  });

  it('three ranks read the same rows in the same order', async () => {
    const ranks = await startRanks(3);
    await finish(ranks);
    expect(inOrder(ranks.flatMap((rank) => rank.said))).toEqual(order);
    expect(new Set(ranks.map((rank) => rank.said.length)).size).toBe(1);
  }, 120_000);

  it('eight ranks are killed in the middle, and three go on with the next row that nobody has read', async () => {
    const eight = await startRanks(8, { held: [...Array(8).keys()] });
    await expect.poll(() => Math.min(...eight.map((rank) => rank.said.length)), { timeout: 120_000 }).toBeGreaterThan(3);
    for (const { process } of eight) process.kill('SIGKILL');
    await Promise.all(eight.map((rank) => rank.ended));
    const states = eight.map((rank) => rank.said.at(-1)?.state as Said['state']);
    const least = states.reduce((a, b) => (b.position < a.position ? b : a));
    expect(least.position).toBeGreaterThan(0);
    expect(least.position).toBeLessThan(rows);
    const before = eight.flatMap((rank) => rank.said).filter((batch) => batch.position < least.position);
    const three = await startRanks(3, { state: JSON.stringify(least) });
    await finish(three);
    expect([...inOrder(before), ...inOrder(three.flatMap((rank) => rank.said))]).toEqual(order);
  }, 300_000);
});

describe('a single rank that is killed', () => {
  it('is noticed by the others, and two go on from their states with the next row that nobody has read', async () => {
    const [alone] = (await startRanks(1)) as [Rank];
    await finish([alone]);
    const four = await startRanks(4, { held: [1] });
    await expect.poll(() => Math.min(...four.map((rank) => rank.said.length)), { timeout: 120_000 }).toBeGreaterThan(3);
    four[1]?.process.kill('SIGKILL');
    const statuses = await Promise.all(four.map((rank) => rank.ended));
    // Nobody trains on without it, and each says why it ends.
    expect(statuses.filter((status) => status === 0)).toEqual([]);
    for (const rank of four.filter((_, at) => at !== 1)) expect(rank.log()).toMatch(/gloo|connection|peer/i);
    const states = four.map((rank) => rank.said.at(-1)?.state as Said['state']);
    const least = states.reduce((a, b) => (b.position < a.position ? b : a));
    expect(least.position).toBeGreaterThan(0);
    expect(least.position).toBeLessThan(rows);
    const before = four.flatMap((rank) => rank.said).filter((batch) => batch.position < least.position);
    const two = await startRanks(2, { state: JSON.stringify(least) });
    await finish(two);
    expect([...inOrder(before), ...inOrder(two.flatMap((rank) => rank.said))]).toEqual(inOrder(alone.said));
  }, 400_000);
});

describe('what breaks on the way', () => {
  // Workers are forked, and gRPC must not run then: the prelude has a client of its own.
  const open = `
import featherflight as ff
raw.close()
del raw
store.close()
store = ff.connect("URL", progress=False)
batches = store.dataset("ranked").torch(64, columns=["row"], seed=5)
loader = batches.loader(num_workers=WORKERS)
coming = iter(loader)
seen = [row for _ in range(10) for row in next(coming)["row"].tolist()]
`;
  const code = (workers: number) => open.replace('URL', server.url).replace('WORKERS', String(workers));
  const rest = '[*seen, *(row for batch in coming for row in batch["row"].tolist())]';
  const whole = '[row for batch in store.dataset("ranked").torch(64, columns=["row"], seed=5) for row in batch["row"].tolist()]';

  it.each([0, 2])(
    'the server is killed and comes back, and every row comes once (%i workers)',
    async (workers) => {
      const python = startPython(path('client.py'), { FEATHERFLIGHT_URL: server.url });
      try {
        await python.run(code(workers));
        await server.stop('SIGKILL');
        const reading = python.run(rest);
        server = await startServer(directory, { environment: ports });
        expect(await reading).toEqual(await python.run(whole));
      } finally {
        await python.close();
      }
    },
    180_000,
  );

  it('workers that are forked beside another Flight client are refused, as they would hang', async () => {
    const python = startPython(path('client.py'), { FEATHERFLIGHT_URL: server.url });
    try {
      const refused = python.run('next(iter(store.dataset("ranked").torch(64, seed=5).loader(num_workers=1)))');
      await expect(refused).rejects.toMatchObject({
        code: 'FAILED_PRECONDITION',
        message: expect.stringMatching(/used Arrow Flight in another way.*multiprocessing_context='spawn'/s),
      });
    } finally {
      await python.close();
    }
  }, 120_000);

  it('a worker that is killed is an error, and the state before it goes on', async () => {
    const python = startPython(path('client.py'), { FEATHERFLIGHT_URL: server.url });
    try {
      await python.run(code(2));
      const refused = await python.run(`
import psutil, signal, time
state = loader.state_dict()
said = []
def read_on():
    try:
        psutil.Process().children()[0].kill()
        for batch in coming: pass
    except Exception as error:
        said.append(str(error))
# torch raises where the signal of a worker's end finds the program, be it here or there; a batch cut short is another error.
try:
    read_on()
    time.sleep(1)
except Exception as error:
    said.append(str(error))
signal.signal(signal.SIGCHLD, signal.SIG_DFL)
len(said)
`);
      expect(refused).toBeGreaterThan(0);
      expect(
        await python.run(`
again = store.dataset("ranked").torch(64, columns=["row"], seed=5)
again.load_state_dict(state)
[*seen, *(row for batch in again.loader(num_workers=1) for row in batch["row"].tolist())]
`),
      ).toEqual(await python.run(whole));
    } finally {
      await python.close();
    }
  }, 180_000);
});
