/** The Flight handler: hands each call to the part of the product that answers it. */
import type { Tokens } from '../access/tokens.ts';
import { encapsulateMessage, encodeSchemaMessage } from '../arrow/schema-message.ts';
import { decodeCancelRequest, encodeCancelResult } from '../flight/messages.ts';
import type { FlightHandler, FlightInfo } from '../flight/protocol.ts';
import type { Erasures } from '../materialize/erase.ts';
import type { Materialize } from '../materialize/materialize.ts';
import { uploadRequestSchema } from '../offline/request.ts';
import type { RegistryDocument } from '../registry/document.ts';
import { actions, concernsEveryView, createActions } from './actions.ts';
import { describeCatalogue, listCatalogue } from './catalogue.ts';
import { catalogueSchema } from './catalogue-schema.ts';
import { withoutEmpty } from './entity-frame.ts';
import { createHistoricalFeatures, type HistoricalParts } from './historical-features.ts';
import { parseMaterializeInput, streamMaterialize } from './materialize-action.ts';
import { encodeJson, parseJsonObject, readCommand } from './wire-json.ts';

export interface HandlerParts extends Omit<HistoricalParts, 'versions'> {
  readonly tokens: Tokens;
  readonly materialize: Materialize;
  readonly erasures: Erasures;
  /** Refuses a token that is not for these views, or not for all where none are named. */
  authorizeViews(token: string | undefined, views: readonly string[] | null | undefined): void;
  /** Reads the repository again and compares it with what is applied. */
  plan(): Promise<unknown>;
  /** Reads the repository again and applies it; resolves with what changed. */
  apply(): Promise<unknown>;
  /** Facts for `server_info` besides those of this handler. */
  readonly info: Readonly<Record<string, unknown>> & { readonly product: string; readonly version: string };
}

/** Makes the handler. */
export function createFeaturesHandler(parts: HandlerParts): FlightHandler {
  const { history, uploads, info } = parts;
  const engine = `DuckDB ${history.engineVersion}`;
  const historical = createHistoricalFeatures({ ...parts, versions: `${info.product} ${info.version}, ${engine}` });
  /** A source that cannot be read now has no freshness; asking for its features says why. */
  const newestEvent = (source: RegistryDocument['sources'][number]) => history.newestEventUs(source).catch(() => undefined);

  const run = createActions({ ...parts, engine, newestEvent, cancel: (id) => historical.cancel({ id }) });

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

  return {
    async *listFlights(criteria) {
      const { kind: wanted } = criteria.length === 0 ? { kind: undefined } : parseJsonObject(criteria, 'the criteria');
      for (const kind of wanted === undefined ? ['feature_services', 'feature_views'] : [String(wanted)]) {
        for (const row of await listCatalogue(parts.registry(), kind, newestEvent)) {
          yield { ...catalogueInfo(kind, row.name), metadata: encodeJson(row) };
        }
      }
    },
    async getFlightInfo(descriptor, context) {
      if (descriptor.type === 'path') {
        const [kind, name = ''] = descriptor.path;
        const [row] = await describeCatalogue(parts.registry(), kind, name, newestEvent);
        return { ...catalogueInfo(kind as string, name), metadata: encodeJson(row) };
      }
      return await historical.describe(descriptor, context);
    },
    async pollFlightInfo(descriptor, context) {
      return { info: await this.getFlightInfo(descriptor, context), progress: 1 };
    },
    async getSchema(descriptor, context) {
      if (descriptor.type === 'path') return (await this.getFlightInfo(descriptor, context)).schema;
      return await historical.schema(descriptor, context);
    },
    doGet: historical.redeem,
    async *doPut(upload, context) {
      const command = uploadRequestSchema.safeParse(readCommand(upload.descriptor, ['upload']));
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
        for await (const message of streamMaterialize(parts.materialize, input, context.signal)) yield encodeJson(message);
        return;
      }
      if (concernsEveryView.includes(type)) parts.authorizeViews(context.token, null);
      yield encodeJson(await run(type, body, context.signal));
    },
    listActions: () => actions,
    async handshake(payload) {
      return payload;
    },
  };
}
