/**
 * The Flight room by itself: `node serve-batches.mjs FILE…` reads Arrow IPC streams into memory and answers DoGet(number of the
 * file) with their messages as they stand. Prints one line of JSON with the address, and stops when its standard input ends.
 */
import { readFileSync } from 'node:fs';
import { readEncapsulated } from '../../../dist/arrow/schema-message.js';
import { FeatureStoreError } from '../../../dist/errors.js';
import { startFlightServer } from '../../../dist/flight/server.js';

const silent = { debug() {}, info() {}, warn: console.error, error: console.error };
const files = process.argv.slice(2).map((path) => readMessages(readFileSync(path)));

function readMessages(bytes) {
  const messages = [];
  // The stream ends with a prefix of length 0.
  for (let at = 0; at + 8 < bytes.length; ) {
    const { header, bodyStart, bodyEnd } = readEncapsulated(bytes, at);
    messages.push({ header, body: [bytes.subarray(bodyStart, bodyEnd)] });
    at = bodyEnd;
  }
  return messages;
}

function unused() {
  throw new FeatureStoreError('UNIMPLEMENTED', 'this server only answers DoGet');
}

const handler = {
  async *doGet(ticket) {
    yield* files[Number(Buffer.from(ticket).toString())];
  },
  listFlights: unused,
  getFlightInfo: unused,
  pollFlightInfo: unused,
  getSchema: unused,
  doPut: unused,
  doExchange: unused,
  doAction: unused,
  listActions: () => [],
  handshake: async (payload) => payload,
};

const server = await startFlightServer(handler, { host: '127.0.0.1', port: 0, logger: silent });
console.log(JSON.stringify({ url: `grpc://127.0.0.1:${server.port}`, pid: process.pid }));
process.stdin.resume().on('end', async () => {
  await server.stop(1000);
  process.exit(0);
});
