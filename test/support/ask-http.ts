/** Asks for online features through a listening HTTP server, with a clock and definitions of the test's own. */
import { createAccessControl } from '../../src/access/caller.ts';
import { decodeLiteral, parseInstantUs } from '../../src/definitions/literal.ts';
import { parseValueType } from '../../src/definitions/value-type.ts';
import { createMetrics } from '../../src/http/metrics.ts';
import type { HttpParts } from '../../src/http/parts.ts';
import { startHttpServer } from '../../src/http/server.ts';
import { silentLogger } from '../../src/observe.ts';
import type { OnlineRequest } from '../../src/online/retrieve/answer.ts';
import { createOnlineFacts } from '../../src/online/retrieve/facts.ts';
import { createOnlineFeatures } from '../../src/online/retrieve/retrieve.ts';
import type { OnlineStore } from '../../src/online/store.ts';
import type { RegistryDocument } from '../../src/registry/document.ts';
import { post } from './http-client.ts';
import type { ParitySetting, ServedColumn } from './online-parity.ts';

interface JsonColumn {
  readonly type: string;
  readonly values: readonly unknown[];
  readonly statuses: readonly string[];
  readonly event_timestamps: readonly (string | null)[];
  readonly is_default: readonly boolean[];
}

/** A server for one repository after another. */
export async function askThroughHttp(store: OnlineStore): Promise<{ ask: ParitySetting['ask']; stop(): Promise<void> }> {
  let registry: RegistryDocument | undefined;
  let online: HttpParts['online'] | undefined;
  const refuse = async () => {
    throw new Error('only online features are served here');
  };
  const metrics = createMetrics();
  const parts: HttpParts = {
    access: createAccessControl('parity', () => []),
    logger: silentLogger,
    metrics,
    limits: { timeoutMs: 60_000, maxBodyBytes: 2 ** 24, maxRows: 10_000, maxConcurrentRequests: 8, maxJsonDepth: 16 },
    version: '0',
    store,
    registry: () => registry as RegistryDocument,
    served: (answer) => metrics.countAnswer(answer),
    online: { get: (request, options) => (online as HttpParts['online']).get(request, options) },
    writes: {
      push: refuse,
      writeOnline: refuse,
      materialize: refuse,
      runSql: refuse,
      erase: refuse,
      liftErasure: refuse,
      listErasures: refuse,
    },
    server: {
      list: refuse,
      describe: refuse,
      plan: refuse,
      apply: refuse,
      createToken: refuse,
      listTokens: refuse,
      revokeToken: refuse,
    },
    streams: { list: refuse, setAside: refuse, reset: refuse, replay: refuse },
    datasets: {
      create: refuse,
      list: refuse,
      describe: refuse,
      lineage: refuse,
      diff: refuse,
      tag: refuse,
      reproduce: refuse,
      remove: refuse,
    },
    audit: { read: refuse, refused() {} },
    validations: {
      run: refuse,
      explain: refuse,
      listReports: refuse,
      readReport: refuse,
      featureHealth: refuse,
      viewHealth: refuse,
      lastChecks: refuse,
      scheduledChecks: refuse,
      alerts: refuse,
    },
  };
  const server = await startHttpServer(parts, { host: '127.0.0.1', port: 0 });
  return {
    async ask(applied, atUs, request) {
      registry = applied;
      const { project } = applied;
      const readMaterialized = async (views: readonly string[]) => views.map(() => true);
      const facts = createOnlineFacts({ store, project, registry: () => applied, readMaterialized, logger: silentLogger });
      try {
        await facts.load();
        online = createOnlineFeatures({ store, project, registry: () => applied, facts, nowUs: () => atUs });
        const answer = await post(`${server.url}/api/v1/online-features`, bodyOf(request));
        if (answer.status !== 200) throw new Error(answer.text);
        return readColumns((answer.json() as { columns: Record<string, JsonColumn> }).columns);
      } finally {
        facts.close();
      }
    },
    stop: () => server.stop(1000),
  };
}

function bodyOf({ features, entities, keys, fullFeatureNames }: OnlineRequest) {
  const columns = Object.entries(entities).map(([name, values]) => [name, values.map(toJson)]);
  return { features, keys, full_feature_names: fullFeatureNames, entities: Object.fromEntries(columns) };
}

function toJson(value: unknown): unknown {
  if (typeof value === 'bigint') return String(value);
  if (typeof value === 'number' && Number.isNaN(value)) return null;
  return value instanceof Uint8Array ? Buffer.from(value).toString('base64') : value;
}

function readColumns(columns: Readonly<Record<string, JsonColumn>>): ServedColumn[] {
  return Object.entries(columns).map(([name, column]) => {
    const type = parseValueType(column.type);
    return {
      name,
      type,
      values: column.values.map((value) => decodeLiteral(type, value)),
      statuses: column.statuses,
      eventUs: column.event_timestamps.map((text) => (text === null ? null : parseInstantUs(text))),
      isDefault: column.is_default,
    };
  });
}
