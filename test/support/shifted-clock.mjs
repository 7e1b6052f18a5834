/**
 * Loaded before a server (`node --import`): its clock goes wrong by as many milliseconds as the file says that FEATHERFLIGHT_TEST_CLOCK
 * names, and follows the file while it runs. Timers run as they did, and files keep the time of the machine.
 */
import { readFileSync } from 'node:fs';
import process from 'node:process';

const path = process.env.FEATHERFLIGHT_TEST_CLOCK;
const TrueDate = globalThis.Date;
let shiftMs = read();

function read() {
  const shift = Number(readFileSync(path, 'utf8'));
  return Number.isFinite(shift) ? shift : shiftMs;
}

setInterval(() => {
  shiftMs = read();
}, 20).unref();

const now = () => TrueDate.now() + shiftMs;

globalThis.Date = new Proxy(TrueDate, {
  apply: () => new TrueDate(now()).toString(),
  construct: (target, args, made) => Reflect.construct(target, args.length === 0 ? [now()] : args, made),
  get: (target, name) => (name === 'now' ? now : Reflect.get(target, name)),
});
