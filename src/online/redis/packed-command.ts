/** A command that is written into one run of bytes: the client itself would make several objects of each of its many arguments. */
import { Command } from 'ioredis';

const dollar = 0x24;
const star = 0x2a;
const zero = 0x30;
const carriageReturn = 0x0d;
const lineFeed = 0x0a;
/** Of `$`, a length below 2^32 and two line ends. */
const mostAround = 15;

export class PackedCommand extends Command {
  constructor(name: string, args: (string | Buffer)[]) {
    super(name, [], { replyEncoding: null });
    // Handed to the client's own constructor they would be copied and looked through.
    this.args = args;
  }

  override toWritable(): Buffer {
    const parts = [this.name, ...(this.args as (string | Buffer)[])].map((arg) =>
      typeof arg === 'string' ? Buffer.from(arg) : arg,
    );
    let size = mostAround;
    for (const part of parts) size += part.length + mostAround;
    const bytes = Buffer.allocUnsafe(size);
    let at = writeCount(bytes, 0, star, parts.length);
    for (const part of parts) {
      at = writeCount(bytes, at, dollar, part.length);
      bytes.set(part, at);
      at = writeLineEnd(bytes, at + part.length);
    }
    return bytes.subarray(0, at);
  }
}

function writeCount(bytes: Buffer, start: number, mark: number, count: number): number {
  bytes[start] = mark;
  let scale = 1;
  while (scale * 10 <= count) scale *= 10;
  let at = start + 1;
  for (; scale >= 1; scale /= 10) bytes[at++] = zero + (Math.floor(count / scale) % 10);
  return writeLineEnd(bytes, at);
}

function writeLineEnd(bytes: Buffer, at: number): number {
  bytes[at] = carriageReturn;
  bytes[at + 1] = lineFeed;
  return at + 2;
}
