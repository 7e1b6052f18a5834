/** POST /get-online-features: the same features in the form that Feast's clients read. */
import { z } from 'zod';
import { requireViews } from '../../access/caller.ts';
import { viewsAsked } from '../../access/views-asked.ts';
import { formatInstantUs } from '../../definitions/format-instant.ts';
import { statusNames } from '../../definitions/status.ts';
import { FeatureStoreError } from '../../errors.ts';
import { deprecationWarnings } from '../../lifecycle/deprecation-warnings.ts';
import type { OnlineAnswer } from '../../online/retrieve/answer.ts';
import { encodeText, type Sink, writeAll, writeAscii, writeUtf8 } from '../json/text-sink.ts';
import { eventsWriter, writeStatus } from '../json/write-answer.ts';
import { writeInstant } from '../json/write-instant.ts';
import type { HttpParts } from '../parts.ts';
import { jsonType, type Resource } from '../resource.ts';
import { columnsSchema, limitRows, nameSchema, validateBody } from '../validate.ts';
import { feastWriter } from './write-value.ts';

/** Members that Feast has and we have no use for are let pass. */
export const feastOnlineRequestSchema = z
  .object({
    features: z.array(nameSchema).min(1).max(10_000).nullish(),
    feature_service: nameSchema.nullish(),
    entities: columnsSchema.describe('Join keys and values that on-demand transforms read, by column.'),
    full_feature_names: z.boolean().nullish(),
    include_feature_view_version_metadata: z.boolean().nullish(),
  })
  .meta({ id: 'feast_online_request' });

export function feastOnlineFeatures({ online, registry, served, limits }: HttpParts): Resource {
  return {
    method: 'POST',
    path: '/get-online-features',
    family: 'feast',
    scope: 'read-online',
    summary: 'Features of entities as they are now',
    body: feastOnlineRequestSchema,
    async answer({ id, body, caller }) {
      const request = validateBody(feastOnlineRequestSchema, body);
      const { features, feature_service: service, entities } = request;
      if ((features == null) === (service == null)) {
        throw new FeatureStoreError('INVALID_ARGUMENT', 'name either "features" or a "feature_service", one of them');
      }
      limitRows(entities, limits.maxRows);
      if (caller.views !== undefined) requireViews(caller, viewsAsked(registry(), { features, service }));
      const fullFeatureNames = request.full_feature_names === true;
      // Without a signal: who waits is told when the time is up, and a read that was sent ends by the store's own deadline.
      const answer = await online.get({ isJson: true, features, service, entities, fullFeatureNames });
      served(answer, { requestId: id, caller });
      const versions = request.include_feature_view_version_metadata === true;
      return { status: 200, type: jsonType, service: service ?? undefined, body: encodeFeastAnswer(answer, versions) };
    },
  };
}

const epoch = '"1970-01-01T00:00:00Z"';
const present = statusNames.indexOf('PRESENT');

/** Columns one after another, join keys first; what is not found happened at the epoch. */
function encodeFeastAnswer(answer: OnlineAnswer, versions: boolean): Buffer {
  const found = new Uint8Array(answer.rows).fill(present);
  const never = new Array<null>(answer.rows).fill(null);
  const keys = answer.entities.map((entity) => ({ ...entity, statuses: found, eventUs: never }));
  const columns = [...keys, ...answer.columns];
  const warnings = deprecationWarnings(answer.origin.registry, answer.origin.request);
  const metadata = {
    feature_names: columns.map(({ name }) => name),
    ...(versions ? { feature_view_metadata: [...new Set(answer.columns.map(({ view }) => view))].map(zeroVersion) } : {}),
    evaluated_at: formatInstantUs(answer.evaluatedAtUs),
    ...(warnings.length > 0 ? { warnings } : {}),
  };
  return encodeText((sink) => {
    const writeEvents = eventsWriter(writeEvent);
    writeAscii(sink, '{"results":[');
    for (const [at, { type, values, statuses, eventUs }] of columns.entries()) {
      writeAscii(sink, at === 0 ? '{"values":' : ',{"values":');
      writeAll(sink, values, feastWriter(type));
      writeAscii(sink, ',"statuses":');
      writeAll(sink, statuses, writeStatus);
      writeAscii(sink, ',"event_timestamps":');
      writeEvents(sink, eventUs);
      writeAscii(sink, '}');
    }
    writeUtf8(sink, `],"metadata":${JSON.stringify(metadata)}}`);
  });
}

function writeEvent(sink: Sink, us: bigint | null): void {
  if (us === null) writeAscii(sink, epoch);
  else writeInstant(sink, us);
}

function zeroVersion(name: string): { readonly name: string; readonly version: number } {
  return { name, version: 0 };
}
