/** The worker thread that Flight, DuckDB and Arrow work live on, so that none of it delays the main thread. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { parentPort, workerData } from 'node:worker_threads';
import pino from 'pino';
import { createAccessControl, requireViews } from '../access/caller.ts';
import { checkExposure } from '../access/exposure.ts';
import { openTokens } from '../access/tokens.ts';
import { viewsAsked } from '../access/views-asked.ts';
import { countRefusal } from '../audit/acting.ts';
import { scheduler, serverItself } from '../audit/actor.ts';
import { openAudit } from '../audit/audit.ts';
import { openDatasets } from '../dataset/datasets.ts';
import { type EntityKey, findEntity } from '../dataset/find-entity.ts';
import { createRowCaches } from '../dataset/row-caches.ts';
import { FeatureStoreError } from '../errors.ts';
import { startFlightServer } from '../flight/server.ts';
import { createErasures } from '../materialize/erase.ts';
import { createErasedRows } from '../materialize/erased-rows.ts';
import { createMaterialize } from '../materialize/materialize.ts';
import { createPushes } from '../materialize/push.ts';
import { createRunTicks } from '../materialize/run-ticks.ts';
import type { Archive } from '../offline/archive/archive.ts';
import { openOnlineStore } from '../online/open-store.ts';
import { createOnlineRecords } from '../online/records.ts';
import type { RegistryDocument } from '../registry/document.ts';
import { openState } from '../registry/state.ts';
import { openSourceLogs } from '../stream/open-logs.ts';
import { createStreams, type FilledSource } from '../stream/streams.ts';
import { productVersion } from '../version.ts';
import { createActs } from './acts/acts.ts';
import { tellFilled } from './acts/streams.ts';
import { startAlerts } from './alerts.ts';
import { createCheckTurns } from './check-turns.ts';
import { createDatasetActions } from './dataset-actions.ts';
import { createDefinitions } from './definitions.ts';
import { createDrains } from './drains.ts';
import { createDrift, openNamedFrames } from './drift-check.ts';
import { startFeatureHealth } from './feature-health.ts';
import { createFeaturesHandler } from './features-handler.ts';
import { flightActor } from './flight-actor.ts';
import { startFreshness } from './freshness.ts';
import { guardHandler } from './guard-handler.ts';
import { createLeakAudit } from './leak-audit.ts';
import { openWorkerLog } from './log-files.ts';
import { openConfiguredHistory } from './open-parts.ts';
import { createPushRouting } from './push-routing.ts';
import { createQueryQueue } from './query-queue.ts';
import { loadConfigApart } from './repository-task.ts';
import { startSchedule } from './schedule.ts';
import { startTickSchedule } from './schedule-ticks.ts';
import { startValidationSchedule } from './schedule-validations.ts';
import { isSourceBehind } from './source-behind.ts';
import { createStreamActions } from './stream-actions.ts';
import { createStreamStatus } from './stream-status.ts';
import { readTlsFiles } from './tls-files.ts';
import { openTracer, warnOfTraces } from './trace/open-tracer.ts';
import { traceAnswers, traceHistory, traceMaterialize, traceQueue, traceStore } from './trace/trace-parts.ts';
import { openUploadStore } from './uploads.ts';
import { openUsage } from './usage.ts';
import { createValidations } from './validations.ts';
import { answerCalls, createWorkerCalls } from './worker-calls.ts';
import { errorOf, type FromWorker, failureOf, type ToWorker, type WorkerInput } from './worker-messages.ts';

const { root, environment, logLevel } = workerData as WorkerInput;
const port = parentPort as NonNullable<typeof parentPort>;
const tell = (message: FromWorker) => port.postMessage(message);

const sweepMs = 30_000;
/** Blocks and vocabularies of datasets that are read, for all readers together. */
const rowCacheLimits = { blockBytes: 512 * 2 ** 20, vocabularyBytes: 128 * 2 ** 20 };

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
  const audit = await openAudit(config, state, logger);
  closing.push(audit.close);
  const tokens = openTokens(state, (records) => tell({ type: 'tokens', tokens: records }));
  const doors = [
    { door: 'http', host: config.http.host },
    { door: 'flight', host },
  ];
  checkExposure(doors, tokens.records().length > 0, config.insecure, logger);
  warnOfTraces(environment, logger);
  const tracer = await openTracer(environment, logger);
  closing.push(() => tracer?.close());
  const store = traceStore(openOnlineStore(config, logger), tracer);
  closing.push(store.close);
  let registry = state.readDocument();
  const current = () => registry ?? nothingApplied(config.project);
  const readErased = createErasedRows({ store: () => store, registry: current });
  const history = await openConfiguredHistory(config, logger, { readErased });
  closing.push(history.close);
  await mkdir(config.storage, { recursive: true });
  const uploads = await openUploadStore(join(config.storage, 'uploads'), limits, logger);
  const datasets = await openDatasets(config.storage);
  const sweepDatasets = async () => {
    for (const { path, error } of await datasets.sweep())
      logger.warn({ path, error: String(error) }, 'what is left of a dataset could not be removed');
  };
  await sweepDatasets();
  const sweeper = setInterval(() => {
    void sweepDatasets();
    uploads.sweep().catch((error: unknown) => logger.error({ error: String(error) }, 'expired uploads could not be removed'));
  }, sweepMs);
  closing.push(() => clearInterval(sweeper));
  /** What is kept of views that are no more takes room and does nothing else: failing to remove it stops nothing. */
  const removeGoneViews = () =>
    history
      .keepViews((registry?.views ?? []).map((view) => view.name))
      .catch((error: unknown) => logger.warn({ error: String(error) }, 'projections of removed views could not be removed'));
  await removeGoneViews();

  let httpAddress: { readonly host: string; readonly port: number; readonly tls: boolean } | null = null;
  const access = createAccessControl(config.project, tokens.records);
  const ending = new AbortController();
  const drains = createDrains(tell);
  const featureLog = await openWorkerLog({ config, history, store }, logger, () => drains.ask('drain_log'));
  closing.push(featureLog.close);
  const usage = openUsage(
    { records: createOnlineRecords(store, config.project), registry: current, tokens: tokens.records, logger },
    () => drains.ask('drain_usage'),
  );
  closing.push(usage.stop);
  const online = { history, store, registry: current, logger, featureLog, stopping: ending.signal };
  const written = () => tell({ type: 'written' });
  const archive = history.archive as Archive;
  const logs = {
    store,
    project: config.project,
    root: config.root,
    directory: join(config.storage, 'streams'),
    environment,
    logger,
  };
  const onFilled = (filled?: FilledSource) => {
    written();
    if (filled !== undefined) void audit.done(serverItself, 'fill', tellFilled(filled.source, filled.views));
  };
  const streams = createStreams({ ...logs, tracer, history: { ...history, archive }, onFilled });
  const status = createStreamStatus({
    records: createOnlineRecords(store, config.project),
    registry: current,
    openLogs: (source) => openSourceLogs(logs, source),
    statuses: streams.status,
  });
  const definitions = createDefinitions({
    ...{ place: { root, environment }, state, streams, usage, datasets, logger, registry: current, stopping: ending.signal },
    async onApplied(applied) {
      registry = applied;
      tell({ type: 'registry', registry });
      await removeGoneViews();
      void schedule.fitDefaults();
    },
  });
  closing.push(definitions.settled);
  const streamActions = createStreamActions({ streams, status, setAside: archive.setAside, registry: current });
  const runTicks = createRunTicks(online);
  const pushes = createPushRouting({ pushes: createPushes(online), streams, registry: current });
  const findSaved = (keys: readonly EntityKey[], signal?: AbortSignal) => findEntity(datasets, keys, signal);
  const erasures = createErasures({ ...online, findSaved });
  const queue = traceQueue(createQueryQueue(limits), tracer);
  const datasetActions = createDatasetActions({
    ...{ datasets, history, uploads, queue, root: config.root, readable: config.readable, registry: current },
    versions: `featherflight ${productVersion}, DuckDB ${history.engineVersion}`,
    readDocument: (version) => state.readDocument(version),
  });
  const actsOf = createActs({
    ...{ audit, registry: current, definitions, tokens, runTicks, pushes, erasures, streamActions, datasets: datasetActions },
    makeMaterialize(ticks) {
      const traced = traceMaterialize(createMaterialize({ ...online, runTicks: ticks }), tracer);
      return async (request, options) => await traced(request, options).finally(written);
    },
  });
  const scheduled = actsOf(scheduler);
  const logged = { config, history, datasets, registry: current, log: featureLog.reader, flushLog: featureLog.flush };
  const validations = createValidations({
    ...{ ...logged, store, logger },
    readDocument: (version) => state.readDocument(version),
    turns: createCheckTurns(queue, limits),
    checks: {
      leaks: createLeakAudit({ config, history, registry: current, uploads }),
      drift: createDrift(logged, openNamedFrames({ ...logged, uploads })),
    },
  });
  const checks = startValidationSchedule({ plan: config.validate, validations, logger });
  closing.push(checks.stop);
  const health = startFeatureHealth({ ...logged, logger });
  closing.push(health.stop);
  const freshness = startFreshness({
    ...{ records: createOnlineRecords(store, config.project), registry: current, listStreams: streamActions.list },
  });
  closing.push(freshness.stop);
  const alerts = await startAlerts({
    ...{ config, logger, registry: current, health: health.latest, reports: validations.reports, freshness: freshness.read },
    streams: status,
  });
  closing.push(alerts.stop);
  const isBehind = (source: string, us: bigint) => isSourceBehind(status, source, us, BigInt(Date.now()) * 1000n);
  const schedule = startSchedule({
    ...{ ...online, isBehind, plan: config.materialize, materialize: scheduled.materialize, onWritten: written },
    onFitted: (names) => void audit.done(serverItself, 'fit_defaults', { names, what: `computed ${names.join(', ')}` }),
  });
  closing.push(schedule.stop);
  const tickSchedule = startTickSchedule({ ...scheduled, registry: current, plan: config.materialize, logger });
  closing.push(tickSchedule.stop);
  closing.push(streams.stop);
  streams.start(current());
  const actions = createWorkerCalls({
    history,
    datasets: datasetActions,
    registry: current,
    acts: actsOf,
    audit,
    definitions,
    tokens,
    erasures,
    streamActions,
    validations,
    scheduledChecks: checks.missed,
    health,
    freshness,
    alerts,
    featureLog,
    usage,
  });
  const handler = createFeaturesHandler({
    history: traceHistory(history, tracer),
    uploads,
    usage,
    countRead: (token, plan, request) => usage.count(access.authenticate(token).token, plan, request),
    queue,
    datasets: datasetActions,
    savedRows: { datasets, caches: createRowCaches(rowCacheLimits) },
    callerOf: access.authenticate,
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
    actsOf: (context) => actsOf(flightActor(context, access)),
    audit,
    definitions,
    erasures,
    streamActions,
    freshness,
    validations,
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
  const server = await startFlightServer(
    guardHandler(traceAnswers(handler, tracer), access, (context, action, error) =>
      countRefusal(audit, flightActor(context, access), action, error),
    ),
    {
      host,
      port: config.flight.port,
      tls,
      logger,
      tracer,
      maxMessageBytes: limits.maxMessageBytes,
    },
  );
  closing.push(() => server.stop(limits.drainSeconds * 1000));
  logger.info({ host, port: server.port, registry_version: registry?.version ?? 0 }, 'serving Arrow Flight');

  /** Once, however often it is asked for: a second signal while calls drain must not close what is closed. */
  let stopping: Promise<void> | undefined;
  const calls = answerCalls(actions, tell, tracer);
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
      case 'refused':
        countRefusal(audit, message.actor, message.action, errorOf(message.failure));
        break;
      case 'abort':
        calls.abort(message.request);
        break;
      case 'drained':
        drains.answered(message.request);
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
