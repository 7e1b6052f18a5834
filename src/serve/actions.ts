/** What DoAction does, each action from JSON to JSON. */
import { z } from 'zod';
import type { TokenRequest, Tokens } from '../access/tokens.ts';
import { FeatureStoreError } from '../errors.ts';
import type { Erasures } from '../materialize/erase.ts';
import { historicalRequestSchema } from '../offline/request.ts';
import type { RegistryDocument } from '../registry/document.ts';
import { catalogueKinds, describeCatalogue, listCatalogue, type NewestEvent } from './catalogue.ts';
import { parseJsonObject, unknownName } from './wire-json.ts';

export interface ActionParts {
  /** Facts for `server_info`. */
  readonly info: Readonly<Record<string, unknown>>;
  readonly engine: string;
  readonly newestEvent: NewestEvent;
  registry(): RegistryDocument;
  /** What `apply` would change now. */
  plan(): Promise<unknown>;
  apply(): Promise<unknown>;
  cancel(query: string): boolean;
  readonly tokens: Tokens;
  readonly erasures: Erasures;
}

export const actions = [
  { type: 'server_info', description: '{}: product, version, project, addresses and the JSON schemas of all commands' },
  { type: 'list', description: `{"kind": ${catalogueKinds.map((kind) => `"${kind}"`).join(' | ')}}: the rows of the catalogue` },
  { type: 'describe', description: '{"name": …, "kind"?: …}: everything known of one name' },
  { type: 'cancel', description: '{"query": id}: stops a query; the id is in FlightInfo.app_metadata' },
  { type: 'CancelFlightInfo', description: 'A CancelFlightInfoRequest: stops the query of a FlightInfo' },
  { type: 'plan', description: '{}: the server reads its own repository folder again and says what apply would change' },
  { type: 'apply', description: '{}: the server reads its own repository folder again and applies it' },
  {
    type: 'materialize',
    description: '{"views"?: [...], "start"?: instant, "end"?: instant}: results {"progress": ...} and at the end {"done": ...}',
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
] as const;

/** Actions that a token for certain views is not for. */
export const concernsEveryView: readonly string[] = ['erase', 'lift_erasure', 'list_erasures'];

/** Makes the function that runs an action by its type. */
export function createActions(parts: ActionParts): (type: string, body: Uint8Array, signal: AbortSignal) => Promise<unknown> {
  return async (type, body, signal) => {
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
        const schemas = { get_historical_features: z.toJSONSchema(historicalRequestSchema, { io: 'input' }) };
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
      case 'cancel':
        return { cancelled: parts.cancel(text('query')) };
      case 'plan':
        return await parts.plan();
      case 'apply':
        return await parts.apply();
      case 'create_token':
        return await parts.tokens.create(input as TokenRequest);
      case 'list_tokens':
        return { tokens: parts.tokens.list() };
      case 'revoke_token':
        return await parts.tokens.revoke(text('id'));
      case 'erase':
        return await parts.erasures.erase(text('entity'), keys(), signal);
      case 'lift_erasure':
        return await parts.erasures.lift(text('entity'), keys(), signal);
      case 'list_erasures':
        return { erasures: await parts.erasures.list(signal) };
      default:
        throw unknownName(
          'action',
          type,
          actions.map((action) => action.type),
        );
    }
  };
}
