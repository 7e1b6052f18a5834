/** POST /materialize and /materialize-incremental, and what of Feast's addresses is not offered. */

import { z } from 'zod';
import { requireViews } from '../../access/caller.ts';
import { FeatureStoreError } from '../../errors.ts';
import { batchViewsOf } from '../../registry/references.ts';
import type { HttpParts, MaterializeRequest } from '../parts.ts';
import { jsonReply, type Resource, type ResourceRequest } from '../resource.ts';
import { nameSchema, validateBody } from '../validate.ts';
import { restoreInstant } from './columns.ts';

const instant = z
  .string()
  .transform(restoreInstant)
  .pipe(z.iso.datetime({ offset: true }));
const common = { feature_views: z.array(nameSchema).min(1).nullish(), full_feature_names: z.boolean().nullish() };

const materializeSchema = z
  .object({ start_ts: instant, end_ts: instant, disable_event_timestamp: z.boolean().nullish(), ...common })
  .meta({ id: 'feast_materialize_request' });

const incrementalSchema = z.object({ end_ts: instant, ...common }).meta({ id: 'feast_materialize_incremental_request' });

const manners = { method: 'POST', family: 'feast', scope: 'write', isLong: true, act: 'materialize' } as const;

export function feastMaterialize({ writes, registry, logger }: HttpParts): readonly Resource[] {
  /** With `?async=true` the answer comes before the work; how that ends is in the log. */
  async function run(request: MaterializeRequest, asked: ResourceRequest) {
    const { actor, caller, query, id } = asked;
    const views = request.views ?? batchViewsOf(registry()).map((view) => view.name);
    requireViews(caller, views);
    if (query.get('async') !== 'true') {
      await writes.materialize(request, asked, () => {});
      return jsonReply(null);
    }
    writes
      .materialize(request, { actor, signal: new AbortController().signal }, () => {})
      .then(
        () => logger.info({ request_id: id, views }, 'materialized'),
        (error: unknown) => logger.error({ request_id: id, views, err: error }, 'materialization failed'),
      );
    return jsonReply({ status: 'accepted', feature_views: views }, 202);
  }

  return [
    {
      ...manners,
      path: '/materialize',
      summary: 'Values of a range of time into the online store',
      body: materializeSchema,
      answer(request) {
        const { start_ts, end_ts, feature_views } = validateBody(materializeSchema, request.body);
        return run({ start: start_ts, end: end_ts, views: feature_views ?? undefined }, request);
      },
    },
    {
      ...manners,
      path: '/materialize-incremental',
      summary: 'Whatever is new into the online store',
      body: incrementalSchema,
      answer(request) {
        const { end_ts, feature_views } = validateBody(incrementalSchema, request.body);
        return run({ end: end_ts, views: feature_views ?? undefined }, request);
      },
    },
    ...['/search', '/retrieve-online-documents'].map(
      (path): Resource => ({
        method: 'POST',
        path,
        family: 'feast',
        scope: 'any',
        summary: 'Not offered',
        answer() {
          throw new FeatureStoreError('NOT_FOUND', 'vector search is not offered by this server');
        },
      }),
    ),
  ];
}
