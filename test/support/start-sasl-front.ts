/**
 * SASL in front of a broker that knows no users: PLAIN and SCRAM (RFC 5802) in Kafka's requests, after which all goes on as it is.
 * A request is int32 size | int16 key | int16 version | int32 correlation | string client | body, an answer int32 size | int32
 * correlation | body; strings have an int16 length before them, bytes an int32.
 */
import { createHash, createHmac, pbkdf2Sync, randomBytes } from 'node:crypto';
import { connect, createServer, type Socket } from 'node:net';

export interface SaslFront {
  /** Mechanisms by which somebody was let in, in order. */
  readonly entered: readonly string[];
  stop(): Promise<void>;
}

export interface SaslFrontOptions {
  readonly port: number;
  /** Where it leads to. */
  readonly to: number;
  readonly username: string;
  readonly password: string;
}

const handshakeKey = 17;
const apiVersionsKey = 18;
const authenticateKey = 36;
const wrongPassword = 58;

export async function startSaslFront({ port, to, username, password }: SaslFrontOptions): Promise<SaslFront> {
  const entered: string[] = [];
  const open = new Set<Socket>();
  const server = createServer((socket) => {
    const behind = connect(to, '127.0.0.1');
    let pending: Buffer = Buffer.alloc(0);
    let mechanism = '';
    let exchange: Exchange | undefined;
    let isIn = false;
    for (const one of [socket, behind]) {
      open.add(one);
      one.on('error', () => {});
      one.on('close', () => {
        open.delete(one);
        socket.destroy();
        behind.destroy();
      });
    }
    behind.on('data', (bytes) => socket.write(bytes));
    const answer = (correlation: number, body: Buffer): void => {
      socket.write(Buffer.concat([int32(4 + body.length), int32(correlation), body]));
    };
    socket.on('data', (bytes: Buffer) => {
      if (isIn) return void behind.write(bytes);
      pending = Buffer.concat([pending, bytes]);
      while (!isIn && pending.length >= 4 && pending.length >= 4 + pending.readInt32BE(0)) {
        const frame = pending.subarray(0, 4 + pending.readInt32BE(0));
        pending = pending.subarray(frame.length);
        const [api, version, correlation] = [frame.readInt16BE(4), frame.readInt16BE(6), frame.readInt32BE(8)];
        const body = frame.subarray(14 + Math.max(0, frame.readInt16BE(12)));
        if (api === apiVersionsKey) behind.write(frame);
        else if (api === handshakeKey) {
          mechanism = body.subarray(2, 2 + body.readInt16BE(0)).toString();
          exchange = startExchange(mechanism, username, password);
          const known = ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512'];
          answer(correlation, Buffer.concat([int16(exchange ? 0 : 33), int32(known.length), ...known.map(text)]));
        } else if (api === authenticateKey && exchange !== undefined) {
          // From version 2 on, lengths are varints and fields end with tags; both clients stay below it.
          const step = exchange(body.subarray(4, 4 + body.readInt32BE(0)));
          const session = version >= 1 ? Buffer.alloc(8) : Buffer.alloc(0);
          const result = step === undefined ? Buffer.alloc(0) : step.bytes;
          const [code, reason] = step === undefined ? [wrongPassword, text('unknown user or password')] : [0, int16(-1)];
          answer(correlation, Buffer.concat([int16(code), reason, int32(result.length), result, session]));
          if (step?.isLast === true) {
            entered.push(mechanism);
            isIn = true;
            if (pending.length > 0) behind.write(pending);
          }
        } else socket.destroy();
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  return {
    entered,
    async stop() {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const socket of open) socket.destroy();
      await closed;
    },
  };
}

/** One message of a client answered; undefined for a wrong user or password. */
type Exchange = (message: Buffer) => { readonly bytes: Buffer; readonly isLast: boolean } | undefined;

function startExchange(mechanism: string, username: string, password: string): Exchange | undefined {
  if (mechanism === 'PLAIN') {
    return (message) => {
      const [, user, secret] = message.toString().split('\0');
      return user === username && secret === password ? { bytes: Buffer.alloc(0), isLast: true } : undefined;
    };
  }
  const hash = { 'SCRAM-SHA-256': 'sha256', 'SCRAM-SHA-512': 'sha512' }[mechanism];
  return hash === undefined ? undefined : startScram(hash, username, password);
}

function startScram(hash: string, username: string, password: string): Exchange {
  const [salt, rounds] = [randomBytes(16), 4096];
  const hmac = (key: Buffer, over: string): Buffer => createHmac(hash, key).update(over).digest();
  const digest = (bytes: Buffer): Buffer => createHash(hash).update(bytes).digest();
  const salted = pbkdf2Sync(password, salt, rounds, hash === 'sha256' ? 32 : 64, hash);
  const storedKey = digest(hmac(salted, 'Client Key'));
  let opening: string | undefined;
  let challenge = '';
  return (message) => {
    if (opening === undefined) {
      opening = message.toString().replace(/^n,,/, '');
      const fields = fieldsOf(opening);
      challenge = `r=${fields.r}${randomBytes(12).toString('hex')},s=${salt.toString('base64')},i=${rounds}`;
      return fields.n === username ? { bytes: Buffer.from(challenge), isLast: false } : undefined;
    }
    const closing = message.toString();
    const signed = `${opening},${challenge},${closing.replace(/,p=[^,]*$/, '')}`;
    const proof = Buffer.from(fieldsOf(closing).p ?? '', 'base64');
    const signature = hmac(storedKey, signed);
    const clientKey = Buffer.from(signature.map((byte, index) => byte ^ (proof[index] ?? 0)));
    if (!digest(clientKey).equals(storedKey)) return undefined;
    const verifier = hmac(hmac(salted, 'Server Key'), signed).toString('base64');
    return { bytes: Buffer.from(`v=${verifier}`), isLast: true };
  };
}

function fieldsOf(message: string): Readonly<Record<string, string>> {
  return Object.fromEntries(message.split(',').map((field) => [field.slice(0, 1), field.slice(2)]));
}

function int16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeInt16BE(value);
  return bytes;
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
}

function text(value: string): Buffer {
  return Buffer.concat([int16(Buffer.byteLength(value)), Buffer.from(value)]);
}
