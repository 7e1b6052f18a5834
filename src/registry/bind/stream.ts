/** Streams of event sources as documents: addresses, formats and secrets, which stand in the environment alone. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { inspect } from 'node:util';
import { didYouMean } from '../../errors.ts';
import type {
  AvroFormatDocument,
  EnvironmentDocument,
  KafkaDocument,
  StreamDocument,
  StreamFormatDocument,
} from '../document.ts';
import type { Report } from '../problems.ts';
import { checkOptions, isRecord } from './options.ts';

const commonOptions = ['kind', 'format', 'from', 'tls'];
const kafkaOptions = [...commonOptions, 'brokers', 'topic', 'sasl', 'groupId'];
const redisOptions = [...commonOptions, 'url', 'keys'];
const mechanisms = ['plain', 'scram-sha-256', 'scram-sha-512'];

/** Checks a stream; undefined for what was not made by kafka or redisStream. Schema files are read relative to `root`. */
export function bindStream(what: string, stream: unknown, root: string, report: Report): StreamDocument | undefined {
  if (!isRecord(stream) || (stream.kind !== 'kafka' && stream.kind !== 'redisStream')) {
    report(`${what}: stream is made by kafka(…) or redisStream(…)`);
    return undefined;
  }
  const place = `${what}: stream`;
  checkOptions(place, stream, stream.kind === 'kafka' ? kafkaOptions : redisOptions, report);
  const { from = 'earliest' } = stream;
  if (from !== 'earliest' && from !== 'latest') report(`${place}: from is "earliest" or "latest", not ${show(from)}`);
  const common = {
    format: bindFormat(place, stream.format, root, report),
    from: from === 'latest' ? ('latest' as const) : ('earliest' as const),
    ...bindTls(place, stream.tls, report),
  };
  return stream.kind === 'kafka' ? bindKafka(place, stream, common, report) : bindRedis(place, stream, common, report);
}

type Common = Pick<StreamDocument, 'format' | 'from' | 'tls'>;

function bindFraming(
  what: string,
  { framing, schemaId }: Readonly<Record<string, unknown>>,
  report: Report,
): Pick<AvroFormatDocument, 'framing' | 'schemaId'> {
  if (framing !== undefined && framing !== 'confluent') {
    report(`${what}: format: framing is "confluent", or left out where nothing stands before a value, not ${show(framing)}`);
    return {};
  }
  const isId = typeof schemaId === 'number' && Number.isInteger(schemaId) && schemaId >= 0 && schemaId < 2 ** 32;
  if (schemaId !== undefined && (!isId || framing === undefined)) {
    report(`${what}: format: schemaId is a schema's number in a registry, beside framing: "confluent"`);
    return {};
  }
  return { ...(framing === undefined ? {} : { framing }), ...(isId ? { schemaId } : {}) };
}

function bindKafka(what: string, stream: Record<string, unknown>, common: Common, report: Report): StreamDocument {
  const { topic, groupId } = stream;
  const brokers = textList(`${what}: brokers`, stream.brokers, '["127.0.0.1:9092"]', report);
  for (const broker of brokers) {
    const problem = addressProblem(broker);
    if (problem !== undefined) report(`${what}: broker ${JSON.stringify(broker)} ${problem}`);
  }
  const isTopic = typeof topic === 'string' && /^[a-zA-Z0-9._-]{1,249}$/.test(topic) && topic !== '.' && topic !== '..';
  if (!isTopic) {
    const shape = 'a name of letters, digits, ".", "_" and "-", at most 249 of them';
    report(`${what}: topic is ${shape}, not ${show(topic)}`);
  }
  const groupVariable = readVariable(`${what}: groupId`, groupId, report);
  if (groupVariable === undefined && groupId !== undefined && (typeof groupId !== 'string' || groupId === '')) {
    report(`${what}: groupId is a name or env("KAFKA_GROUP")`);
  }
  return {
    kind: 'kafka',
    brokers,
    topic: String(topic),
    ...(groupId === undefined ? {} : { groupId: groupVariable ?? String(groupId) }),
    ...bindSasl(what, stream.sasl, report),
    ...common,
  };
}

function bindRedis(what: string, stream: Record<string, unknown>, common: Common, report: Report): StreamDocument {
  const url = bindUrl(what, stream.url, common.tls !== undefined, report);
  return { kind: 'redisStream', url, keys: textList(`${what}: keys`, stream.keys, '["clicks"]', report), ...common };
}

function bindUrl(what: string, url: unknown, hasTls: boolean, report: Report): string | EnvironmentDocument {
  const variable = readVariable(`${what}: url`, url, report);
  if (variable !== undefined) return variable;
  const parsed = typeof url === 'string' && URL.canParse(url) ? new URL(url) : undefined;
  const isRedis = parsed !== undefined && /^rediss?:$/.test(parsed.protocol) && parsed.hostname !== '';
  if (!isRedis || parsed.search !== '' || parsed.hash !== '' || !/^\/?\d*$/.test(parsed.pathname)) {
    report(`${what}: url is such as "redis://HOST:6379/0" or "rediss://HOST:6379", or env("REDIS_URL")`);
    return '';
  }
  if (parsed.password !== '') {
    report(`${what}: url holds a password, which would be stored with the definitions; write url: env("REDIS_URL")`);
    return '';
  }
  if (hasTls && parsed.protocol === 'redis:') report(`${what}: tls is for a URL that begins with rediss://`);
  return url as string;
}

function bindFormat(what: string, format: unknown, root: string, report: Report): StreamFormatDocument {
  if (format === undefined || format === 'json') return 'json';
  if (format === 'arrow') return 'arrow';
  if (isRecord(format)) {
    checkOptions(`${what}: format`, format, ['avro', 'framing', 'schemaId'], report);
    if (typeof format.avro === 'string' && format.avro !== '') {
      return { ...bindAvro(what, format.avro, root, report), ...bindFraming(what, format, report) };
    }
  }
  const near = typeof format === 'string' ? didYouMean(format, ['json', 'arrow', 'avro']) : '';
  report(`${what}: format is "json", "arrow" or { avro: "schemas/event.avsc" }, not ${show(format)}${near}`);
  return 'json';
}

/** The schema becomes part of what is applied: the file may change afterwards without a word to the stream. */
function bindAvro(what: string, path: string, root: string, report: Report): AvroFormatDocument {
  try {
    return { avro: path, schema: JSON.stringify(JSON.parse(readFileSync(resolve(root, path), 'utf8'))) };
  } catch (error) {
    const reason = error instanceof SyntaxError ? `is no JSON: ${error.message}` : 'cannot be read';
    report(`${what}: the Avro schema "${path}" ${reason}; name a file (.avsc) relative to the repository`);
    return { avro: path, schema: '' };
  }
}

function bindSasl(what: string, sasl: unknown, report: Report): Pick<KafkaDocument, 'sasl'> {
  if (sasl === undefined) return {};
  if (!isRecord(sasl)) {
    report(`${what}: sasl is { mechanism: "scram-sha-256", username: "…", password: env("KAFKA_PASSWORD") }`);
    return {};
  }
  checkOptions(`${what}: sasl`, sasl, ['mechanism', 'username', 'password'], report);
  const { mechanism, username, password } = sasl;
  if (!mechanisms.includes(mechanism as string)) {
    const near = didYouMean(String(mechanism), mechanisms);
    report(`${what}: sasl: mechanism is one of ${mechanisms.join(', ')}, not ${show(mechanism)}${near}`);
  }
  const userVariable = readVariable(`${what}: sasl: username`, username, report);
  if (userVariable === undefined && (typeof username !== 'string' || username === '')) {
    report(`${what}: sasl: username is a name or env("KAFKA_USER")`);
  }
  const secret = readVariable(`${what}: sasl: password`, password, report);
  if (secret === undefined) {
    report(`${what}: sasl: a password would be stored with the definitions; write password: env("KAFKA_PASSWORD")`);
  }
  type Sasl = NonNullable<KafkaDocument['sasl']>;
  return { sasl: { mechanism, username: userVariable ?? String(username), password: secret ?? { env: '' } } as Sasl };
}

/** The name of a variable, undefined for what was not made by env. */
function readVariable(what: string, value: unknown, report: Report): EnvironmentDocument | undefined {
  if (!isRecord(value) || value.kind !== 'env') return undefined;
  const { variable } = value;
  if (typeof variable === 'string' && /^[A-Za-z_][A-Za-z0-9_]*$/.test(variable)) return { env: variable };
  report(`${what}: env(…) takes the name of an environment variable, not ${show(variable)}`);
  return { env: '' };
}

const tlsFiles = ['caFile', 'certFile', 'keyFile'] as const;

function bindTls(what: string, tls: unknown, report: Report): Pick<StreamDocument, 'tls'> {
  if (tls === undefined || tls === false) return {};
  if (tls === true) return { tls: {} };
  if (!isRecord(tls)) {
    report(`${what}: tls is true, or { caFile: "ca.pem", certFile: "client.pem", keyFile: "client.key" }`);
    return {};
  }
  checkOptions(`${what}: tls`, tls, tlsFiles, report);
  const files = tlsFiles.filter((name) => tls[name] !== undefined);
  for (const name of files) {
    const path = tls[name];
    if (typeof path !== 'string' || path === '') report(`${what}: tls: ${name} is the path of a PEM file`);
    else if (path.includes('-----BEGIN')) {
      report(`${what}: tls: ${name} is the path of a PEM file, and not what stands in it`);
      return {};
    }
  }
  if ((tls.certFile === undefined) !== (tls.keyFile === undefined)) {
    report(`${what}: tls: certFile and keyFile come together: a certificate and its key`);
  }
  return { tls: Object.fromEntries(files.map((name) => [name, String(tls[name])])) };
}

/** Distinct texts that are not empty; none where the value is something else, which is reported. */
function textList(what: string, value: unknown, example: string, report: Report): readonly string[] {
  if (Array.isArray(value) && value.length > 0 && value.every((item) => typeof item === 'string' && item !== '')) {
    return [...new Set(value as string[])];
  }
  report(`${what} is a list of one or more, such as ${example}`);
  return [];
}

function show(value: unknown): string {
  return value === undefined ? 'left out' : typeof value === 'string' ? JSON.stringify(value) : inspect(value, { depth: 1 });
}

function addressProblem(address: string): string | undefined {
  if (address.includes('://')) return 'is an address without a protocol, such as "127.0.0.1:9092"; for TLS write tls: true';
  const found = /^(?:\[[0-9a-fA-F:.]+\]|[^\s:/@[\]]+):(\d{1,5})$/.exec(address);
  const port = Number(found?.[1]);
  return port >= 1 && port <= 65_535 ? undefined : 'is no address; write HOST:PORT, such as "127.0.0.1:9092"';
}
