/** The Flight handler: hands each call to the part of the product that answers it. */
import type { Caller } from '../access/caller.ts';
import { viewsOfSource } from '../access/views-asked.ts';
import { encapsulateMessage, encodeSchemaMessage } from '../arrow/schema-message.ts';
import type { Audit } from '../audit/audit.ts';
import { FeatureStoreError } from '../errors.ts';
import { decodeCancelRequest, encodeCancelResult } from '../flight/messages.ts';
import type { CallContext, FlightHandler, FlightInfo } from '../flight/protocol.ts';
import { streamProgress } from '../http/stream-progress.ts';
import { uploadRequestSchema } from '../offline/request.ts';
import type { FillProgress } from '../stream/fill-features.ts';
import { actions, concernsEveryView, createActions } from './actions.ts';
import type { Acts, UnchangingParts } from './acts/acts.ts';
import { describeCatalogue, listCatalogue, sourceFactsOf } from './catalogue.ts';
import { catalogueSchema } from './catalogue-schema.ts';
import { describeDatasetFlight, findDatasets, isDatasetAction, listDatasetFlights, runDatasetAction } from './dataset-flight.ts';
import { createDatasetRows, type DatasetRowsParts } from './dataset-rows.ts';
import { withoutEmpty } from './entity-frame.ts';
import type { Freshness } from './freshness.ts';
import { createHistoricalFeatures, type HistoricalParts } from './historical-features.ts';
import { parseMaterializeInput, tellMaterialize } from './materialize-action.ts';
import { isPush, parsePushCommand, pushFrame } from './push-frame.ts';
import { parseRunSqlInput, runSql } from './run-sql-action.ts';
import { isStreamAction, runStreamAction } from './stream-flight.ts';
import { openTicket } from './tickets.ts';
import type { UsageFacts } from './usage.ts';
import type { Validations } from './validations.ts';
import { encodeJson, parseJsonObject, readCommand } from './wire-json.ts';

/** What changes something is reached through `actsOf` alone. */
export interface HandlerParts extends Omit<HistoricalParts, 'versions'>, UnchangingParts {
  /** What the caller of a call may do, told in the audit log. */
  actsOf(context: CallContext): Acts;
  readonly audit: Pick<Audit, 'read'>;
  readonly freshness: Freshness;
  readonly validations: Pick<Validations, 'run' | 'viewsOf' | 'pin'>;
  readonly usage: UsageFacts;
  readonly savedRows: Pick<DatasetRowsParts, 'datasets' | 'caches'>;
  /** Who that token's is; fails where it is none. */
  callerOf(token: string | undefined): Caller;
  /** Refuses a token that is not for these views, or not for all where none are named. */
  authorizeViews(token: string | undefined, views: readonly string[] | null | undefined): void;
  /** Facts for `server_info` besides those of this handler. */
  readonly info: Readonly<Record<string, unknown>> & { readonly product: string; readonly version: string };
}

/** What GetFlightInfo and GetSchema answer. */
const commands = ['get_historical_features', 'get_dataset'];

function isRowsCommand(command: unknown): boolean {
  return (command as { readonly type: string }).type === 'get_dataset';
}

/** The body of `apply`. */
function parseApplyInput({ force = false }: Readonly<Record<string, unknown>>): { readonly force: boolean } {
  if (typeof force === 'boolean') return { force };
  throw new FeatureStoreError('INVALID_ARGUMENT', 'action "apply" is refused: "force" is true or false');
}

/** Makes the handler. */
export function createFeaturesHandler(parts: HandlerParts): FlightHandler {
  const { history, uploads, info, validations } = parts;
  const engine = `DuckDB ${history.engineVersion}`;
  const datasetRows = createDatasetRows({
    ...{ ...parts.savedRows, engine: history.engine, secret: parts.secret, callerOf: parts.callerOf },
  });
  const historical = createHistoricalFeatures({ ...parts, versions: `${info.product} ${info.version}, ${engine}` });
  const newestEvent = sourceFactsOf(history, parts.streamActions, parts.usage, parts.freshness);

  const run = createActions({
    ...parts,
    plan: parts.definitions.plan,
    engine,
    newestEvent,
    cancel: (id) => historical.cancel({ id }),
  });

  function catalogueInfo(kind: string, name: string): FlightInfo {
    const schema = catalogueSchema(parts.registry(), kind, name);
    return {
      schema: schema === undefined ? new Uint8Array(0) : encapsulateMessage(encodeSchemaMessage(schema)),
      descriptor: { type: 'path', path: [kind, name] },
      endpoints: [],
      totalRecords: -1n,
      totalBytes: -1n,
      ordered: false,
    };
  }

  function authorizeSource(token: string | undefined, source: string): void {
    parts.authorizeViews(token, viewsOfSource(parts.registry(), source));
  }

  return {
    async *listFlights(criteria, context) {
      const { kind: wanted } = criteria.length === 0 ? { kind: undefined } : parseJsonObject(criteria, 'the criteria');
      for (const kind of wanted === undefined ? ['feature_services', 'feature_views', 'datasets'] : [String(wanted)]) {
        if (kind === 'datasets') {
          yield* listDatasetFlights(parts.datasets, parts.callerOf(context.token));
          continue;
        }
        for (const row of await listCatalogue(parts.registry(), kind, newestEvent)) {
          yield { ...catalogueInfo(kind, row.name), metadata: encodeJson(row) };
        }
      }
    },
    async getFlightInfo(descriptor, context) {
      if (descriptor.type === 'path') {
        const [kind, name = ''] = descriptor.path;
        if (kind === 'datasets') return await describeDatasetFlight(parts.datasets, name, parts.callerOf(context.token));
        const [row] = await describeCatalogue(parts.registry(), kind, name, newestEvent);
        return { ...catalogueInfo(kind as string, name), metadata: encodeJson(row) };
      }
      const command = readCommand(descriptor, commands);
      if (isRowsCommand(command)) return await datasetRows.describe(command, descriptor, context);
      return await historical.describe(descriptor, context);
    },
    async pollFlightInfo(descriptor, context) {
      return { info: await this.getFlightInfo(descriptor, context), progress: 1 };
    },
    async getSchema(descriptor, context) {
      if (descriptor.type === 'path') return (await this.getFlightInfo(descriptor, context)).schema;
      const command = readCommand(descriptor, commands);
      if (isRowsCommand(command)) return await datasetRows.schema(command, context);
      return await historical.schema(descriptor, context);
    },
    doGet(ticket, context) {
      const content = openTicket(parts.secret, ticket);
      return datasetRows.isTicket(content) ? datasetRows.redeem(content, context) : historical.redeem(ticket, context);
    },
    async *doPut(upload, context) {
      const asked = readCommand(upload.descriptor, ['upload', 'push']);
      if (isPush(upload.descriptor)) {
        const push = parsePushCommand(asked);
        authorizeSource(context.token, push.source);
        for await (const report of pushFrame(parts.actsOf(context).pushes, push, upload, context.signal))
          yield encodeJson(report);
        return;
      }
      const command = uploadRequestSchema.safeParse(asked);
      if (command.success) historical.warm(command.data, context.signal);
      const saved = await uploads.save(withoutEmpty(upload));
      yield encodeJson({ upload: saved.id, rows: saved.rows, expires_at: new Date(saved.expiresAtMs).toISOString() });
    },
    doExchange: historical.exchange,
    async *doAction(type, body, context) {
      if (type === 'CancelFlightInfo') {
        const [endpoint] = decodeCancelRequest(body).endpoints;
        const cancelled = historical.cancel({ ticket: endpoint?.ticket ?? new Uint8Array(0) });
        yield encodeCancelResult(cancelled ? 'cancelled' : 'notCancellable');
        return;
      }
      if (type === 'materialize') {
        const input = parseMaterializeInput(body.length === 0 ? {} : parseJsonObject(body, 'the body of action "materialize"'));
        parts.authorizeViews(context.token, input.views);
        const { signal } = context;
        const { materialize } = parts.actsOf(context);
        for await (const message of streamProgress((onProgress) => tellMaterialize(materialize, input, signal, onProgress)))
          yield encodeJson(message);
        return;
      }
      if (type === 'run_sql') {
        const input = parseRunSqlInput(body.length === 0 ? {} : parseJsonObject(body, 'the body of action "run_sql"'));
        authorizeSource(context.token, input.source);
        const { signal } = context;
        const { runTicks } = parts.actsOf(context);
        for await (const message of streamProgress((onProgress) => runSql(runTicks, input, signal, onProgress)))
          yield encodeJson(message);
        return;
      }
      if (type === 'validate') {
        const caller = parts.callerOf(context.token);
        const asked = parseJsonObject(body, 'the body of action "validate"');
        parts.authorizeViews(context.token, validations.viewsOf(asked));
        const input = await validations.pin(asked, caller);
        for await (const message of streamProgress((onProgress) =>
          validations.run(input, context.signal, onProgress, caller.token),
        ))
          yield encodeJson(message);
        return;
      }
      if (type === 'apply') {
        const { force } = parseApplyInput(body.length === 0 ? {} : parseJsonObject(body, 'the body of action "apply"'));
        const { definitions } = parts.actsOf(context);
        for await (const message of streamProgress<FillProgress>((onProgress) => definitions.apply(onProgress, { force })))
          yield encodeJson('done' in message ? message.done : message);
        return;
      }
      if (isStreamAction(type)) {
        const input = body.length === 0 ? {} : parseJsonObject(body, `the body of action "${type}"`);
        const authorize = (source: string) => authorizeSource(context.token, source);
        const results = runStreamAction(parts.actsOf(context).streamActions, type, input, authorize, context.signal);
        for await (const result of results) yield encodeJson(result);
        return;
      }
      if (isDatasetAction(type)) {
        const input = body.length === 0 ? {} : parseJsonObject(body, `the body of action "${type}"`);
        const caller = parts.callerOf(context.token);
        const acting = { ...parts.datasets, ...parts.actsOf(context).datasets };
        for await (const result of runDatasetAction(acting, type, input, caller, context.signal)) yield encodeJson(result);
        return;
      }
      if (type === 'list' || type === 'describe') {
        const found = await findDatasets(parts.datasets, type, body, parts.callerOf(context.token));
        if (found !== undefined) {
          yield encodeJson(found);
          return;
        }
      }
      if (concernsEveryView.includes(type)) parts.authorizeViews(context.token, null);
      const made = () => parts.datasets.lineage(parts.callerOf(context.token));
      yield encodeJson(await run(type, body, context.signal, () => parts.actsOf(context), made));
    },
    listActions: () => actions,
    async handshake(payload) {
      return payload;
    },
  };
}
