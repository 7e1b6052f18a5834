/** /api/v1/streams: how far the streams of event sources are, what they set aside, and ways to read them anew. */
import { z } from 'zod';
import { requireViews } from '../../access/caller.ts';
import { viewsOfSource } from '../../access/views-asked.ts';
import type { HttpParts } from '../parts.ts';
import { jsonReply, type Resource, type ResourceRequest } from '../resource.ts';
import { replaySchema, resetSchema, setAsideSchema, streamSchema } from '../stream-answers.ts';
import { linesType, replyWithProgress } from '../stream-progress.ts';
import { replayRequestSchema, resetRequestSchema, setAsideRequestSchema } from '../stream-requests.ts';
import { validateBody, validateQuery } from '../validate.ts';

const path = '/api/v1/streams';
const reading = { method: 'GET', family: 'ours' } as const;
const changing = { method: 'POST', family: 'ours', scope: 'admin', isLong: true } as const;

export function streams({ streams: actions, registry }: HttpParts): readonly Resource[] {
  /** The source that the address names, for a caller who may see all that is made of it. */
  const authorized = ({ caller, params }: ResourceRequest): string => {
    const source = params.source as string;
    requireViews(caller, viewsOfSource(registry(), source));
    return source;
  };
  return [
    {
      ...reading,
      path,
      scope: 'any',
      summary: 'How far the streams of all event sources are',
      answers: z.strictObject({ streams: z.array(streamSchema) }),
      answer: async ({ signal }) => jsonReply({ streams: await actions.list(undefined, signal) }),
    },
    {
      ...reading,
      path: `${path}/:source`,
      scope: 'any',
      summary: 'How far the stream of one event source is',
      answers: streamSchema,
      answer: async ({ params, signal }) => jsonReply((await actions.list(params.source as string, signal))[0]),
    },
    {
      ...reading,
      path: `${path}/:source/set-aside`,
      scope: 'read-offline',
      summary: 'Events that count nowhere, the newest first, each with its reason',
      query: setAsideRequestSchema,
      answers: setAsideSchema,
      async answer(request) {
        const source = authorized(request);
        return jsonReply(await actions.setAside(source, validateQuery(setAsideRequestSchema, request.query), request.signal));
      },
    },
    {
      ...changing,
      path: `${path}/:source/reset`,
      act: 'reset_source',
      summary: `Reads the stream on from elsewhere, and makes all states anew from history; with "accept: ${linesType}" progress line by line`,
      body: resetRequestSchema,
      answers: resetSchema,
      async answer(request) {
        const source = authorized(request);
        const input = validateBody(resetRequestSchema, request.body);
        return await replyWithProgress(request, (onProgress) => actions.reset(source, input, request, onProgress));
      },
    },
    {
      ...changing,
      path: `${path}/:source/replay`,
      act: 'replay_source',
      summary: `Makes states anew from history, those of keys with an event in a range; with "accept: ${linesType}" progress line by line`,
      body: replayRequestSchema,
      answers: replaySchema,
      async answer(request) {
        const source = authorized(request);
        const input = validateBody(replayRequestSchema, request.body);
        return await replyWithProgress(request, (onProgress) => actions.replay(source, input, request, onProgress));
      },
    },
  ];
}
