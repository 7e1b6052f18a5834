/** /api/v1/erasures: erasing an entity, taking that back, and what is erased. Keys travel in bodies: addresses end up in logs. */
import { z } from 'zod';
import { requireViews } from '../../access/caller.ts';
import type { HttpParts } from '../parts.ts';
import { jsonReply, type Resource, type ResourceRequest } from '../resource.ts';
import { nameSchema, validateBody } from '../validate.ts';

export const erasureRequestSchema = z
  .strictObject({
    entity: nameSchema.describe('An entity, such as `user`.'),
    keys: z.record(nameSchema, z.unknown()).describe('Its join keys: int64 above 2^53 as text, bytes in base64.'),
  })
  .meta({ id: 'erasure_request' });

const reportSchema = z
  .strictObject({
    entity: z.string(),
    erased_at: z.string().describe('That of the first time, where it was erased before.'),
    online: z
      .strictObject({ keys: z.int(), rows: z.record(z.string(), z.int()) })
      .describe('Keys of the online store from which rows were removed, and how many rows of each view.'),
    archives: z
      .array(z.strictObject({ source: z.string(), files: z.int(), rows: z.int() }))
      .describe('What was rewritten of what had been pushed.'),
    feature_log: z.strictObject({ files: z.int(), rows: z.int() }).describe('What was rewritten of the feature log.'),
    datasets: z
      .array(z.strictObject({ dataset: z.string(), rows: z.int().nullable(), problem: z.string().optional() }))
      .describe('Saved datasets that hold rows of it: reported, not changed. Of a damaged one `rows` is null, and it may.'),
    foreign: z
      .array(z.strictObject({ source: z.string(), format: z.string(), paths: z.array(z.string()), views: z.array(z.string()) }))
      .describe('Tables that may hold the entity: reported, not changed.'),
  })
  .meta({ id: 'erasure_report' });

const shownSchema = z.strictObject({
  entities: z.array(z.string()),
  keys: z.record(z.string(), z.union([z.string(), z.boolean()])),
  erased_at: z.string(),
  finished: z.boolean().describe('False while it is under way, or where it was cut short: then erase again.'),
});

const path = '/api/v1/erasures';
const manners = { family: 'ours', scope: 'admin', isLong: true } as const;

export function erasures({ writes, registry }: HttpParts): readonly Resource[] {
  /** It concerns every view: also what is told of it. */
  const authorize = ({ caller }: ResourceRequest) =>
    requireViews(
      caller,
      registry().views.map((view) => view.name),
    );
  return [
    {
      ...manners,
      method: 'POST',
      path,
      act: 'erase',
      summary: 'Removes an entity from the online store and from what was pushed, until that is lifted',
      body: erasureRequestSchema,
      answers: reportSchema,
      async answer(request) {
        authorize(request);
        return jsonReply(await writes.erase(validateBody(erasureRequestSchema, request.body), request));
      },
    },
    {
      ...manners,
      method: 'POST',
      path: `${path}/lift`,
      act: 'lift_erasure',
      summary: 'Takes an erasure back: rows are taken again, and none that was removed returns by itself',
      body: erasureRequestSchema,
      answers: z.strictObject({ lifted: z.boolean(), erased_at: z.string().nullable().describe('Since when it was erased.') }),
      async answer(request) {
        authorize(request);
        return jsonReply(await writes.liftErasure(validateBody(erasureRequestSchema, request.body), request));
      },
    },
    {
      ...manners,
      method: 'GET',
      path,
      summary: 'All that is erased, the oldest first',
      answers: z.strictObject({ erasures: z.array(shownSchema) }),
      async answer(request) {
        authorize(request);
        return jsonReply({ erasures: await writes.listErasures(request.signal) });
      },
    },
  ];
}
