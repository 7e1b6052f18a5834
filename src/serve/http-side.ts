/** The main thread's half of the server: the online store, what is read from it, and HTTP. */

import { createAccessControl } from '../access/caller.ts';
import type { TokenRecord } from '../access/token-record.ts';
import type { TokenRequest } from '../access/tokens.ts';
import type { Config } from '../config.ts';
import { createMetrics } from '../http/metrics.ts';
import type { HttpParts, ServerActions, Writes } from '../http/parts.ts';
import { type HttpServer, startHttpServer } from '../http/server.ts';
import { readWatermarks } from '../materialize/view-state.ts';
import type { Logger } from '../observe.ts';
import { openOnlineStore } from '../online/open-store.ts';
import { createOnlineRecords } from '../online/records.ts';
import { createOnlineFacts } from '../online/retrieve/facts.ts';
import { createOnlineFeatures } from '../online/retrieve/retrieve.ts';
import type { RegistryDocument } from '../registry/document.ts';
import { batchViewsOf } from '../registry/references.ts';
import { productVersion } from '../version.ts';
import { readTlsFiles } from './tls-files.ts';
import type { WorkerLink } from './worker-link.ts';

export interface HttpSideOptions {
  readonly config: Config;
  readonly logger: Logger;
  readonly call: WorkerLink['call'];
  readonly registry: RegistryDocument;
  readonly tokens: readonly TokenRecord[];
}

export interface HttpSide {
  readonly server: HttpServer;
  setRegistry(registry: RegistryDocument): void;
  setTokens(tokens: readonly TokenRecord[]): void;
  /** Reads again what is kept in memory of watermarks and fitted defaults. */
  loadFacts(): void;
  stop(): Promise<void>;
}

/** Opens the store and listens; whatever was opened is closed again where that fails. */
export async function startHttpSide(options: HttpSideOptions): Promise<HttpSide> {
  const { config, logger, call } = options;
  const { project } = config;
  let { registry, tokens } = options;
  const tls = await readTlsFiles(config);
  const metrics = createMetrics();
  const store = metrics.measureStore(openOnlineStore(config, logger));
  const records = createOnlineRecords(store, project);
  const facts = createOnlineFacts({
    store,
    project,
    registry: () => registry,
    readMaterialized: async (views, signal) =>
      (await readWatermarks(records, views, signal)).map((watermark) => watermark !== undefined),
    logger,
  });
  const loadFacts = () => void facts.load().catch(() => {}); // a store that is away is told of by the loads that repeat
  loadFacts();
  metrics.watchViews(async () => {
    const views = batchViewsOf(registry).map((view) => view.name);
    const [watermarks, newest] = await Promise.all([readWatermarks(records, views), call('newest_events', {})]);
    const newestOf = newest as Readonly<Record<string, bigint>>;
    return views.map((view, at) => ({ view, watermarkUs: watermarks[at]?.endUs, newestEventUs: newestOf[view] }));
  });
  const parts: HttpParts = {
    access: createAccessControl(project, () => tokens),
    logger,
    metrics,
    limits: config.http,
    version: productVersion,
    store,
    registry: () => registry,
    online: createOnlineFeatures({ store, project, registry: () => registry, facts }),
    writes: writesThrough(call),
    server: actionsThrough(call),
  };
  const close = async () => {
    facts.close();
    await store.close();
  };
  const server = await startHttpServer(parts, { host: config.http.host, port: config.http.port, tls }).catch(async (error) => {
    await close();
    throw error;
  });
  return {
    server,
    setRegistry(applied) {
      registry = applied;
      loadFacts();
    },
    setTokens(known) {
      tokens = known;
    },
    loadFacts,
    async stop() {
      await server.stop(config.http.drainSeconds * 1000);
      await close();
    },
  };
}

/** Archive, sources and their engine live in the worker, and so do writes. */
function writesThrough(call: WorkerLink['call']): Writes {
  type Report = Readonly<Record<string, unknown>>;
  return {
    push: async (request, signal) => (await call('push', request, { signal })) as Report,
    writeOnline: async (view, rows, signal) => (await call('write_online', { view, rows }, { signal })) as Report,
    materialize: async (request, signal, onProgress) => (await call('materialize', request, { signal, onProgress })) as Report,
    erase: async (request, signal) => (await call('erase', request, { signal })) as Awaited<ReturnType<Writes['erase']>>,
    liftErasure: async (request, signal) =>
      (await call('lift_erasure', request, { signal })) as Awaited<ReturnType<Writes['liftErasure']>>,
    listErasures: async (signal) => (await call('list_erasures', {}, { signal })) as Awaited<ReturnType<Writes['listErasures']>>,
  };
}

function actionsThrough(call: WorkerLink['call']): ServerActions {
  type Answers = { readonly [name in keyof ServerActions]: Awaited<ReturnType<ServerActions[name]>> };
  return {
    list: async (kind) => (await call('list', { kind })) as Answers['list'],
    describe: async (kind, name) => (await call('describe', { kind, name })) as Answers['describe'],
    plan: () => call('plan', {}),
    apply: () => call('apply', {}),
    createToken: async (request: TokenRequest) => (await call('create_token', request)) as Answers['createToken'],
    listTokens: async () => (await call('list_tokens', {})) as Answers['listTokens'],
    revokeToken: async (id) => (await call('revoke_token', { id })) as Answers['revokeToken'],
  };
}
