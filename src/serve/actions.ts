/** What DoAction does, each action from JSON to JSON. */
import { z } from 'zod';
import type { TokenRequest } from '../access/tokens.ts';
import type { Audit } from '../audit/audit.ts';
import { type AuditQuery, auditQuerySchema } from '../audit/query.ts';
import { rowsRequestSchema } from '../dataset/rows-request.ts';
import { FeatureStoreError } from '../errors.ts';
import { lineageOf } from '../lifecycle/lineage.ts';
import type { LineageGraph } from '../lifecycle/lineage-graph.ts';
import { historicalRequestSchema } from '../offline/request.ts';
import type { RegistryDocument } from '../registry/document.ts';
import type { Acts, UnchangingParts } from './acts/acts.ts';
import { catalogueKinds, describeCatalogue, listCatalogue, type NewestEvent } from './catalogue.ts';
import { datasetActionTypes } from './dataset-flight.ts';
import { streamActionTypes } from './stream-flight.ts';
import { parseJsonObject, unknownName } from './wire-json.ts';

export interface ActionParts extends Pick<UnchangingParts, 'tokens' | 'erasures'> {
  /** Facts for `server_info`. */
  readonly info: Readonly<Record<string, unknown>>;
  readonly engine: string;
  readonly newestEvent: NewestEvent;
  registry(): RegistryDocument;
  /** What `apply` would change now. */
  plan(): Promise<unknown>;
  cancel(query: string): boolean;
  readonly audit: Pick<Audit, 'read'>;
}

/** What `list` lists. */
const listed = [...catalogueKinds, 'datasets'];

export const actions = [
  { type: 'server_info', description: '{}: product, version, project, addresses and the JSON schemas of all commands' },
  { type: 'list', description: `{"kind": ${listed.map((kind) => `"${kind}"`).join(' | ')}}: the rows of the catalogue` },
  { type: 'describe', description: '{"name": …, "kind"?: …}: everything known of one name' },
  { type: 'lineage', description: '{"name": …}: what a name is made of, and what is made of it, as nodes and edges' },
  { type: 'cancel', description: '{"query": id}: stops a query; the id is in FlightInfo.app_metadata' },
  { type: 'CancelFlightInfo', description: 'A CancelFlightInfoRequest: stops the query of a FlightInfo' },
  {
    type: 'plan',
    description: '{}: the server reads its own repository folder again and says what apply would change, and refuse',
  },
  {
    type: 'apply',
    description:
      '{"force"?: bool}: the server reads its own repository folder again and applies it, unless something would go that was read in the last 30 days and it is not forced; before the result {"progress": …} while features are filled',
  },
  {
    type: 'materialize',
    description: '{"views"?: [...], "start"?: instant, "end"?: instant}: results {"progress": ...} and at the end {"done": ...}',
  },
  {
    type: 'run_sql',
    description:
      '{"source": name, "start"?: instant, "end"?: instant, "again"?: bool}: ticks of an SQL source; results as those of materialize',
  },
  {
    type: 'validate',
    description:
      '{"kind": "parity", "from"?, "to"?, "live"?, "features"?, "service"?, "pairs"?, "sample"?, "tolerances"?, "examine"?} or {"kind": "leaks", "upload" | "path", "features" | "service" | "table", "columns"?, "labels"?, …} or {"kind": "drift", "from"?, "to"?, "reference_from"?, "reference_to"?, "reference"?: {"dataset", "split"?}, "current"?: {"dataset", "split"?}, "upload" | "path"?, "features"?, "service"?, "thresholds"?, "min_keys"?, …}: a check; results as those of materialize',
  },
  {
    type: 'create_token',
    description: '{"scopes": [...], "description"?, "project"?, "views"?, "expires_at"?}: makes an API token',
  },
  { type: 'list_tokens', description: '{}: all API tokens, without their text' },
  { type: 'revoke_token', description: '{"id": ...}: refuses an API token from now on' },
  {
    type: 'erase',
    description: '{"entity": name, "keys": {join key: value}}: removes an entity from the online store and from what was pushed',
  },
  { type: 'lift_erasure', description: '{"entity": name, "keys": {join key: value}}: takes rows of an erased entity again' },
  { type: 'list_erasures', description: '{}: all that is erased' },
  {
    type: 'audit',
    description:
      '{"from"?: instant, "to"?: instant, "action"?, "caller"?, "name"?, "limit"?, "before"?: id}: who changed what, the newest first',
  },
  ...streamActionTypes,
  ...datasetActionTypes,
] as const;

/** Actions that a token for certain views is not for. */
export const concernsEveryView: readonly string[] = ['erase', 'lift_erasure', 'list_erasures', 'audit'];

/** Runs an action by its type; what changes something is done by `acts`. */
export type RunAction = (
  type: string,
  body: Uint8Array,
  signal: AbortSignal,
  acts: () => Acts,
  /** What was made of definitions, as far as the caller may see it. */
  made: () => Promise<LineageGraph>,
) => Promise<unknown>;

export function createActions(parts: ActionParts): RunAction {
  return async (type, body, signal, acts, made) => {
    const input = body.length === 0 ? {} : parseJsonObject(body, `the body of action "${type}"`);
    const text = (member: string) => {
      const value = input[member];
      if (typeof value === 'string') return value;
      throw new FeatureStoreError('INVALID_ARGUMENT', `action "${type}" needs a string "${member}" in its JSON body`);
    };
    const keys = () => {
      const { keys: given } = input;
      if (given !== null && typeof given === 'object' && !Array.isArray(given)) return given as Readonly<Record<string, unknown>>;
      throw new FeatureStoreError('INVALID_ARGUMENT', `action "${type}" needs "keys" in its JSON body: {join key: value}`);
    };
    switch (type) {
      case 'server_info': {
        const registry = parts.registry();
        const schemas = {
          get_historical_features: z.toJSONSchema(historicalRequestSchema, { io: 'input' }),
          get_dataset: z.toJSONSchema(rowsRequestSchema, { io: 'input' }),
        };
        return {
          ...parts.info,
          engine: parts.engine,
          project: registry.project,
          registry_version: registry.version,
          schemas,
        };
      }
      case 'list':
        return { kind: text('kind'), rows: await listCatalogue(parts.registry(), text('kind'), parts.newestEvent) };
      case 'describe': {
        const kind = input.kind == null ? undefined : text('kind');
        return { rows: await describeCatalogue(parts.registry(), kind, text('name'), parts.newestEvent) };
      }
      case 'lineage':
        return lineageOf(parts.registry(), text('name'), await made());
      case 'cancel':
        return { cancelled: parts.cancel(text('query')) };
      case 'plan':
        return await parts.plan();
      case 'create_token':
        return await acts().tokens.create(input as TokenRequest);
      case 'list_tokens':
        return { tokens: parts.tokens.list() };
      case 'revoke_token':
        return await acts().tokens.revoke(text('id'));
      case 'erase':
        return await acts().erasures.erase(text('entity'), keys(), signal);
      case 'lift_erasure':
        return await acts().erasures.lift(text('entity'), keys(), signal);
      case 'list_erasures':
        return { erasures: await parts.erasures.list(signal) };
      case 'audit':
        return await parts.audit.read(parseAuditQuery(input));
      default:
        throw unknownName(
          'action',
          type,
          actions.map((action) => action.type),
        );
    }
  };
}

function parseAuditQuery(input: unknown): AuditQuery {
  const parsed = auditQuerySchema.safeParse(input);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map(({ path, message }) => `${path.join('.') || 'the body'}: ${message}`);
  throw new FeatureStoreError('INVALID_ARGUMENT', `action "audit" is refused: ${problems.join('; ')}`, { details: { problems } });
}
