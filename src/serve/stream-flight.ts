/** DoAction's twins of what HTTP does with streams: the same requests, with the source's name among their members. */
import { z } from 'zod';
import { FeatureStoreError } from '../errors.ts';
import { streamProgress } from '../http/stream-progress.ts';
import { replayRequestSchema, resetRequestSchema, setAsideRequestSchema } from '../http/stream-requests.ts';
import type { StreamActions } from './stream-actions.ts';

const source = { source: z.string() };
const schemas = {
  streams: z.strictObject({ source: z.string().optional() }),
  set_aside: setAsideRequestSchema.extend(source),
  reset_source: resetRequestSchema.extend(source),
  replay_source: replayRequestSchema.extend(source),
} as const;

export type StreamActionType = keyof typeof schemas;

export const streamActionTypes = [
  { type: 'streams', description: '{"source"?: name}: how far the streams of event sources are' },
  {
    type: 'set_aside',
    description: '{"source": name, "limit"?, "partition"?, "reason"?}: events of a stream that count nowhere, the newest first',
  },
  {
    type: 'reset_source',
    description:
      '{"source": name, "from": "earliest" | "latest" | {partition: offset}, "new_log"?: bool}: reads a stream on from elsewhere, and makes its states anew; results as those of materialize',
  },
  {
    type: 'replay_source',
    description:
      '{"source": name, "from"?: instant, "to"?: instant}: makes states anew, of keys with an event in a range; results as those of materialize',
  },
] as const;

export function isStreamAction(type: string): type is StreamActionType {
  return Object.hasOwn(schemas, type);
}

/** The action's results. `authorize` refuses who may not see what is made of the source. */
export async function* runStreamAction(
  actions: StreamActions,
  type: StreamActionType,
  input: unknown,
  authorize: (source: string) => void,
  signal: AbortSignal,
): AsyncGenerator<unknown> {
  if (type === 'streams') {
    yield { streams: await actions.list(parse(type, input).source, signal) };
    return;
  }
  const { source: name } = parse(type, input);
  authorize(name);
  if (type === 'set_aside') yield await actions.setAside(name, parse(type, input));
  else if (type === 'reset_source') {
    const request = parse(type, input);
    yield* streamProgress((onProgress) => actions.reset(name, request, signal, onProgress));
  } else {
    const request = parse(type, input);
    yield* streamProgress((onProgress) => actions.replay(name, request, signal, onProgress));
  }
}

function parse<T extends StreamActionType>(type: T, input: unknown): z.output<(typeof schemas)[T]> {
  const parsed = schemas[type].safeParse(input);
  if (parsed.success) return parsed.data as z.output<(typeof schemas)[T]>;
  const problems = parsed.error.issues.map((issue) => `${issue.path.join('.') || 'the body'}: ${issue.message}`);
  throw new FeatureStoreError('INVALID_ARGUMENT', `action "${type}" is refused: ${problems.join('; ')}`, {
    details: { problems },
  });
}
