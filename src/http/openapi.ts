/** GET /openapi.json: the page that describes every address, from the very schemas that requests are checked by. */
import { z } from 'zod';
import { jsonReply, type Resource } from './resource.ts';

const errorSchema = z
  .strictObject({
    error: z.strictObject({ code: z.string(), message: z.string(), details: z.record(z.string(), z.unknown()) }),
  })
  .meta({ id: 'error' });

export function openApi(resources: readonly Resource[], version: string): Resource {
  let page: string | undefined;
  return {
    method: 'GET',
    path: '/openapi.json',
    family: 'ours',
    scope: 'public',
    isVital: true,
    summary: 'This page',
    answer() {
      page ??= JSON.stringify(describe(resources, version));
      return { ...jsonReply(null), body: page };
    },
  };
}

function describe(resources: readonly Resource[], version: string) {
  const paths: Record<string, Record<string, unknown>> = {};
  const schemas: Record<string, unknown> = {};
  for (const resource of resources) {
    const path = resource.path.replace(/:(\w+)/g, '{$1}');
    paths[path] = { ...paths[path], [resource.method.toLowerCase()]: describeOperation(resource, schemas) };
  }
  return {
    openapi: '3.1.0',
    info: { title: 'Featherflight', version, license: { name: 'Apache-2.0', identifier: 'Apache-2.0' } },
    paths,
    components: { schemas, securitySchemes: { token: { type: 'http', scheme: 'bearer' } } },
  };
}

function describeOperation({ path, family, scope, summary, query, body, answers }: Resource, schemas: Record<string, unknown>) {
  const named = [...path.matchAll(/:(\w+)/g)].map(([, name]) => ({
    name,
    in: 'path',
    required: true,
    schema: { type: 'string' },
  }));
  const asked = Object.entries(query?.shape ?? {}).map(([name, schema]) => ({
    name,
    in: 'query',
    required: false,
    schema: schemaOf(schema as z.ZodType, schemas),
  }));
  const parameters = [...named, ...asked];
  const failed = family === 'ours' ? schemaOf(errorSchema, schemas) : { type: 'string', description: 'JSON in a JSON string' };
  return {
    summary,
    tags: [family === 'ours' ? 'featherflight' : 'feast'],
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(body === undefined ? {} : { requestBody: { required: true, content: json(schemaOf(body, schemas)) } }),
    ...(scope === 'public' ? {} : { security: [{ token: [] }], 'x-scope': scope }),
    responses: {
      200: { description: 'Done', ...(answers === undefined ? {} : { content: json(schemaOf(answers, schemas)) }) },
      default: { description: 'Refused or failed', content: json(failed) },
    },
  };
}

function json(schema: unknown) {
  return { 'application/json': { schema } };
}

/**
 * JSON Schema 2020-12, which is what OpenAPI 3.1 takes; `$schema` is said once, by the page's version. Schemas with a name of their own go
 * to the page's components.
 */
function schemaOf(schema: z.ZodType, schemas: Record<string, unknown>): unknown {
  const { $schema: _, ...written } = z.toJSONSchema(schema, { io: 'input' });
  const { $defs = {}, ...rest } = JSON.parse(JSON.stringify(written).replaceAll('#/$defs/', '#/components/schemas/')) as {
    $defs?: Record<string, { id?: string }>;
  };
  for (const [name, { id: _id, ...definition }] of Object.entries($defs)) schemas[name] = definition;
  return rest;
}
