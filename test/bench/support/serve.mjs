/**
 * Serves a repository for a benchmark: `node serve.mjs FOLDER`. Applies it, prints one line of JSON with the address and the
 * process's id, and stops when its standard input ends. The server's log goes to standard error.
 */
import { startServer } from '../../../dist/serve/server.js';

const server = await startServer({ root: process.argv[2], environment: process.env, logLevel: process.env.BENCH_LOG ?? 'warn' });
await server.apply();
console.log(JSON.stringify({ url: server.url, pid: process.pid }));
process.stdin.resume().on('end', async () => {
  await server.stop();
  process.exit(0);
});
await server.died;
