/** Which room of src/ may import which: the arrows of docs/architecture.md as data. */

const base = ['errors', 'observe'];
const language = [...base, 'definitions', 'config'];
const core = [...language, 'registry', 'aggregate', 'arrow'];
const paths = [...core, 'transform', 'offline', 'online'];
const processes = [...paths, 'access', 'materialize', 'stream', 'dataset', 'validate'];

/** Room -> the other rooms it may import. A room is a folder of src/ or a file directly in it, without `.ts`. */
export const allowedRooms: Readonly<Record<string, readonly string[]>> = {
  errors: [],
  observe: [],
  version: [],
  definitions: base,
  config: [...base, 'definitions'],
  index: ['definitions', 'config', 'errors'],
  registry: [...language, 'aggregate'],
  aggregate: language,
  arrow: language,
  transform: [...language, 'registry'],
  access: [...language, 'registry'],
  offline: [...core, 'transform'],
  online: [...core, 'transform'],
  materialize: paths,
  stream: paths,
  dataset: paths,
  validate: paths,
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
  '@grpc/grpc-js': ['flight', 'client'],
  '@duckdb/node-api': ['arrow', 'offline', 'demo'],
  '@duckdb/node-bindings': ['arrow', 'offline'],
  acorn: ['registry'],
  'apache-arrow': ['arrow'],
  commander: ['cli'],
  croner: ['serve'],
  esbuild: ['registry'],
  express: ['http'],
  ioredis: ['online'],
  jiti: ['registry'],
  lmdb: ['registry', 'online'],
  pino: ['serve', 'cli'],
  'prom-client': ['http'],
};
