/** Serves the repository in its first argument from the build, applied, and prints its address. */
import { startServer } from '../../../dist/serve/server.js';

const server = await startServer({ root: process.argv[2], environment: process.env, logLevel: 'warn' });
await server.apply();
console.log(server.url);
process.on('SIGTERM', async () => {
  await server.stop();
  process.exit(0);
});
server.died.catch((error) => {
  console.error(error);
  process.exit(1);
});
