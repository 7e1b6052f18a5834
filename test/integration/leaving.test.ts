/** How a Python program leaves the batches of an answer before their end, and that the server is rid of the query then. */
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type PythonProcess, startPython } from '../support/start-python.ts';
import { type ServerProcess, startServer } from '../support/start-server.ts';
import { makeStore } from './make-store.ts';

let server: ServerProcess;
let python: PythonProcess;

beforeAll(async () => {
  server = await startServer(await makeStore({ config: { flight: { limits: { maxQueriesPerToken: 1 } } } }));
  python = startPython(fileURLToPath(new URL('./client.py', import.meta.url)), { FEATHERFLIGHT_URL: server.url });
});
afterAll(async () => {
  await python?.kill();
  await server?.stop();
});

it.each([
  ['cancelling the job of a reader that was closed', 'reader.close()\njob.cancel()'],
  ['dropping the reader', 'del reader'],
])('%s ends the query', async (_, leave) => {
  await python.run(`
    job = store.get_historical_features(many(600_000, columns=8)[0], ["user_profile:age"])
    reader = job.to_batches()
    reader.read_next_batch().num_rows`);
  await expect(python.run('still_works()')).rejects.toMatchObject({ type: 'ResourceExhaustedError' });
  await python.run(leave);
  await expect.poll(() => python.run('still_works()').catch((error: Error) => error.message), { interval: 50 }).toBe('works');
});
