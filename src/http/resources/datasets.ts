/** /api/v1/datasets: saved training sets, made, told of, compared, tagged, computed once more and removed. */
import { z } from 'zod';
import { datasetRequestSchema } from '../../dataset/request.ts';
import { tagSchema } from '../../dataset/tags.ts';
import type { HttpParts } from '../parts.ts';
import { jsonReply, type Resource } from '../resource.ts';
import { linesType, replyWithProgress } from '../stream-progress.ts';
import { validateBody } from '../validate.ts';

const row = z.record(z.string(), z.unknown());
const tagBody = z.strictObject({
  model: tagSchema.shape.model,
  version: tagSchema.shape.version.optional(),
  remove: z.boolean().default(false).describe('Take the tag away; without a version all of the model.'),
});

export function datasets({ datasets: actions }: HttpParts): readonly Resource[] {
  return [
    {
      method: 'GET',
      path: '/api/v1/datasets',
      family: 'ours',
      scope: 'any',
      summary: 'Saved datasets: the newest version of each, or with `name` all versions of one',
      query: z.strictObject({ name: z.string().optional() }),
      answers: z.strictObject({ kind: z.string(), rows: z.array(row) }),
      answer: async ({ caller, query }) =>
        jsonReply({ kind: 'datasets', rows: await actions.list(query.get('name') ?? undefined, caller) }),
    },
    {
      method: 'POST',
      path: '/api/v1/datasets',
      family: 'ours',
      scope: 'write',
      act: 'create_dataset',
      isLong: true,
      summary: `Saves a training set as the next version of a dataset; with "accept: ${linesType}" progress line by line`,
      body: datasetRequestSchema,
      answers: row,
      async answer(request) {
        const { body, caller, signal, actor } = request;
        const input = validateBody(datasetRequestSchema, body);
        return await replyWithProgress(request, (onProgress) => actions.create(input, caller, { actor, signal }, onProgress));
      },
    },
    {
      method: 'GET',
      path: '/api/v1/datasets/:name',
      family: 'ours',
      scope: 'read-offline',
      summary: 'One version by NAME@VERSION, or the newest by NAME: recipe, columns, statistics, gates and tags',
      answers: row,
      answer: async ({ params, caller }) => jsonReply(await actions.describe(params.name as string, caller)),
    },
    {
      method: 'DELETE',
      path: '/api/v1/datasets/:name',
      family: 'ours',
      scope: 'write',
      act: 'delete_dataset',
      summary: 'Removes a version for good; with `force` also while it is read or a model is tagged with it',
      query: z.strictObject({ force: z.enum(['true', 'false']).optional() }),
      answers: z.strictObject({ deleted: z.string() }),
      answer: async ({ params, query, caller, actor }) =>
        jsonReply(await actions.remove(params.name as string, query.get('force') === 'true', caller, actor)),
    },
    {
      method: 'POST',
      path: '/api/v1/datasets/:name/tags',
      family: 'ours',
      scope: 'write',
      act: 'tag_dataset',
      summary: 'Says that a model was trained on a version, or takes that back',
      body: tagBody,
      answers: row,
      answer: async ({ params, body, caller, actor }) =>
        jsonReply(await actions.tag({ ...validateBody(tagBody, body), dataset: params.name }, caller, actor)),
    },
    {
      method: 'GET',
      path: '/api/v1/datasets/:name/diff',
      family: 'ours',
      scope: 'read-offline',
      summary: 'How a version differs from another, `to`: recipe, columns, statistics, files of sources',
      query: z.strictObject({ to: z.string() }),
      answers: row,
      answer: async ({ params, query, caller }) =>
        jsonReply(await actions.diff(params.name as string, query.get('to') ?? '', caller)),
    },
    {
      method: 'POST',
      path: '/api/v1/datasets/:name/reproduce',
      family: 'ours',
      scope: 'read-offline',
      isLong: true,
      summary: `Computes a version once more and compares; with "accept: ${linesType}" progress line by line`,
      body: z.strictObject({}),
      answers: row,
      async answer(request) {
        const { params, caller, signal } = request;
        return await replyWithProgress(request, (onProgress) =>
          actions.reproduce(params.name as string, caller, signal, onProgress),
        );
      },
    },
  ];
}
