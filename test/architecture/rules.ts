/** Which room of src/ may import which: the arrows of docs/architecture.md as data. */

const base = ['errors', 'observe'];
const language = [...base, 'definitions', 'config'];
const core = [...language, 'registry', 'aggregate', 'arrow'];
const paths = [...core, 'json', 'transform', 'offline', 'online'];
const processes = [...paths, 'access', 'audit', 'materialize', 'stream', 'dataset', 'validate', 'lifecycle'];

/** Room -> the other rooms it may import. A room is a folder of src/ or a file directly in it, without `.ts`. */
export const allowedRooms: Readonly<Record<string, readonly string[]>> = {
  errors: [],
  observe: [],
  version: [],
  json: base,
  definitions: base,
  config: [...base, 'definitions'],
  index: ['definitions', 'config', 'errors'],
  registry: [...language, 'aggregate'],
  aggregate: language,
  arrow: language,
  transform: [...language, 'registry'],
  access: [...language, 'registry'],
  audit: [...base, 'definitions'],
  offline: [...core, 'transform'],
  online: [...core, 'transform'],
  materialize: paths,
  stream: paths,
  dataset: paths,
  validate: paths,
  lifecycle: paths,
  flight: [...base, 'arrow'],
  http: processes,
  serve: [...processes, 'flight', 'http', 'version'],
  cli: [...processes, 'http', 'serve', 'demo', 'version', 'client'],
  client: ['errors', 'definitions', 'arrow', 'flight'],
  demo: ['index'],
  ui: [],
};

/** npm packages that belong to certain rooms: elsewhere the domain would know a protocol or an engine. */
export const packageRooms: Readonly<Record<string, readonly string[]>> = {
  '@opentelemetry/api': ['serve', 'client'],
  '@opentelemetry/core': ['serve'],
  '@opentelemetry/exporter-trace-otlp-proto': ['serve'],
  '@opentelemetry/resources': ['serve'],
  '@opentelemetry/sdk-trace-base': ['serve'],
  '@grpc/grpc-js': ['flight', 'client'],
  '@duckdb/node-api': ['arrow', 'offline', 'demo'],
  '@duckdb/node-bindings': ['arrow', 'offline'],
  acorn: ['registry'],
  'apache-arrow': ['arrow'],
  avsc: ['stream'],
  commander: ['cli'],
  croner: ['config', 'serve'],
  esbuild: ['registry'],
  express: ['http'],
  ioredis: ['online'],
  jiti: ['registry'],
  kafkajs: ['stream'],
  lmdb: ['registry', 'online'],
  pino: ['serve', 'cli'],
  'prom-client': ['http'],
  snappy: ['stream'],
};

/** Packages that a room's built files contain: they are needed when it is built, and it may use no other. */
export const builtInPackages: Readonly<Record<string, readonly string[]>> = {
  ui: ['@dagrejs/dagre', 'react', 'react-dom', 'recharts'],
};
