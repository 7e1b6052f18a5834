/** The worker thread that Flight, DuckDB and Arrow work live on, so that none of it delays the main thread. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { parentPort, workerData } from 'node:worker_threads';
import pino from 'pino';
import { createAccessControl, requireViews } from '../access/caller.ts';
import { checkExposure } from '../access/exposure.ts';
import { openTokens } from '../access/tokens.ts';
import { viewsAsked } from '../access/views-asked.ts';
import { FeatureStoreError } from '../errors.ts';
import { startFlightServer } from '../flight/server.ts';
import { createErasures } from '../materialize/erase.ts';
import { createErasedRows } from '../materialize/erased-rows.ts';
import { createMaterialize, type Materialize } from '../materialize/materialize.ts';
import { createPushes } from '../materialize/push.ts';
import { openOnlineStore } from '../online/open-store.ts';
import { applyPlanned } from '../registry/apply.ts';
import type { RegistryDocument } from '../registry/document.ts';
import { openState } from '../registry/state.ts';
import { productVersion } from '../version.ts';
import { createFeaturesHandler } from './features-handler.ts';
import { guardHandler } from './guard-handler.ts';
import { openConfiguredHistory } from './open-parts.ts';
import { createQueryQueue } from './query-queue.ts';
import { loadConfigApart, planApart } from './repository-task.ts';
import { startSchedule } from './schedule.ts';
import { readTlsFiles } from './tls-files.ts';
import { openUploadStore } from './uploads.ts';
import { answerCalls, createWorkerCalls } from './worker-calls.ts';
import { type FromWorker, failureOf, type ToWorker, type WorkerInput } from './worker-messages.ts';

const { root, environment, logLevel } = workerData as WorkerInput;
const port = parentPort as NonNullable<typeof parentPort>;
const tell = (message: FromWorker) => port.postMessage(message);

const sweepMs = 30_000;

/** What has been opened so far, to be closed in the other order: at the end, or where starting fails half-way. */
const closing: (() => unknown)[] = [];

async function closeAll(): Promise<void> {
  const failures: unknown[] = [];
  for (const close of closing.splice(0).reverse()) {
    try {
      await close();
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length > 0) throw failures[0];
}

async function main(): Promise<void> {
  const config = await loadConfigApart({ root, environment });
  const logger = pino({ level: logLevel, base: { project: config.project } }, pino.destination({ dest: 2, sync: true }));
  const { host, limits } = config.flight;
  const tls = await readTlsFiles(config);
  const address = `${tls === undefined ? 'grpc' : 'grpc+tls'}://${host}:${config.flight.port}`;
  const state = await openState(config.state, { purpose: 'serve', ...(config.flight.port === 0 ? {} : { address }) });
  closing.push(state.close);
  const tokens = openTokens(state, (records) => tell({ type: 'tokens', tokens: records }));
  const doors = [
    { door: 'http', host: config.http.host },
    { door: 'flight', host },
  ];
  checkExposure(doors, tokens.records().length > 0, config.insecure, logger);
  const store = openOnlineStore(config, logger);
  closing.push(store.close);
  let registry = state.readDocument();
  const current = () => registry ?? nothingApplied(config.project);
  const readErased = createErasedRows({ store: () => store, registry: current });
  const history = await openConfiguredHistory(config, logger, { readErased });
  closing.push(history.close);
  await mkdir(config.storage, { recursive: true });
  const uploads = await openUploadStore(join(config.storage, 'uploads'), limits, logger);
  const sweeper = setInterval(() => {
    uploads.sweep().catch((error: unknown) => logger.error({ error: String(error) }, 'expired uploads could not be removed'));
  }, sweepMs);
  closing.push(() => clearInterval(sweeper));
  /** What is kept of views that are no more takes room and does nothing else: failing to remove it stops nothing. */
  const removeGoneViews = () =>
    history
      .keepViews((registry?.views ?? []).map((view) => view.name))
      .catch((error: unknown) => logger.warn({ error: String(error) }, 'projections of removed views could not be removed'));
  await removeGoneViews();

  /** One apply at a time: a second one starts when the first is done. */
  let applying: Promise<unknown> = Promise.resolve();
  closing.push(() => applying.catch(() => {}));
  const apply = (): Promise<unknown> => {
    const run = applying.catch(() => {}).then(applyNow);
    applying = run;
    return run;
  };
  async function applyNow() {
    const planned = await planApart({ root, environment }, state.readDocument());
    registry = await applyPlanned(planned, state, new Date().toISOString());
    tell({ type: 'registry', registry });
    await removeGoneViews();
    void schedule.fitDefaults();
    logger.info({ version: registry.version, changes: planned.plan.changes.length }, 'definitions applied');
    return { version: registry.version, changes: planned.plan.changes };
  }

  async function plan() {
    const { baseVersion, plan } = await planApart({ root, environment }, state.readDocument());
    return { version: baseVersion, changes: plan.changes };
  }

  let httpAddress: { readonly host: string; readonly port: number; readonly tls: boolean } | null = null;
  const access = createAccessControl(config.project, tokens.records);
  const ending = new AbortController();
  const online = { history, store, registry: current, logger, stopping: ending.signal };
  const written = () => tell({ type: 'written' });
  const run = createMaterialize(online);
  const materialize: Materialize = async (request, options) => await run(request, options).finally(written);
  const pushes = createPushes(online);
  const erasures = createErasures(online);
  const schedule = startSchedule({ ...online, plan: config.materialize, materialize, onWritten: written });
  closing.push(schedule.stop);
  const actions = createWorkerCalls({ history, registry: current, plan, apply, tokens, materialize, pushes, erasures });
  const handler = createFeaturesHandler({
    history,
    uploads,
    queue: createQueryQueue(limits),
    root: config.root,
    readable: config.readable,
    secret: config.secret ?? Buffer.from(await state.ensureSecret('tickets')).toString('base64'),
    registry: (version) => {
      if (version === undefined || version === (registry?.version ?? 0)) return current();
      const earlier = state.readDocument(version);
      if (earlier !== undefined) return earlier;
      throw new FeatureStoreError(
        'FAILED_PRECONDITION',
        `version ${version} of the definitions is not kept; ask GetFlightInfo for a new ticket`,
      );
    },
    plan,
    apply,
    materialize,
    erasures,
    authorizeViews: (token, views) => requireViews(access.authenticate(token), views ?? current().views.map((view) => view.name)),
    tokens,
    authorize: (token, asked, of) => requireViews(access.authenticate(token), viewsAsked(of, asked)),
    info: {
      product: 'featherflight',
      version: productVersion,
      // Known when the server listens, which is before anybody can ask.
      get flight() {
        return { host, port: server.port };
      },
      get http() {
        return httpAddress;
      },
    },
  });
  const server = await startFlightServer(guardHandler(handler, access), {
    host,
    port: config.flight.port,
    tls,
    logger,
    maxMessageBytes: limits.maxMessageBytes,
  });
  closing.push(() => server.stop(limits.drainSeconds * 1000));
  logger.info({ host, port: server.port, registry_version: registry?.version ?? 0 }, 'serving Arrow Flight');

  /** Once, however often it is asked for: a second signal while calls drain must not close what is closed. */
  let stopping: Promise<void> | undefined;
  const calls = answerCalls(actions, tell);
  port.on('message', (message: ToWorker) => {
    switch (message.type) {
      case 'stop':
        // A run of an hour is not waited for: the next one goes on where it was.
        ending.abort(new FeatureStoreError('UNAVAILABLE', 'the server is stopping'));
        stopping ??= closeAll();
        stopping.then(() => tell({ type: 'stopped' }), fail);
        break;
      case 'http':
        httpAddress = { host: message.host, port: message.port, tls: tls !== undefined };
        break;
      case 'call':
        calls.begin(message);
        break;
      case 'abort':
        calls.abort(message.request);
        break;
    }
  });
  tell({ type: 'listening', port: server.port, config, registry: current(), tokens: tokens.records() });
}

/** Before the first apply every name is unknown; the catalogue is empty. */
function nothingApplied(project: string): RegistryDocument {
  return { format: 1, project, version: 0, appliedAt: '', entities: [], sources: [], views: [], services: [] };
}

function fail(error: unknown): void {
  tell({ type: 'failed', ...failureOf(error) });
}

main().catch(async (error) => {
  await closeAll().catch(() => {});
  fail(error);
});
