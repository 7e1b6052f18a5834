/** The features of a request as references, a service written out with the columns that it reads keys from. */
import { didYouMean, FeatureStoreError } from '../../errors.ts';
import type { HistoricalRequest } from '../../offline/request.ts';
import type { RegistryDocument } from '../../registry/document.ts';

export interface References {
  readonly features: readonly string[];
  readonly keys: HistoricalRequest['keys'];
}

export function listReferences(
  registry: RegistryDocument,
  { features, service, keys }: Pick<HistoricalRequest, 'features' | 'service' | 'keys'>,
): References {
  if (features != null) return { features, keys };
  const found = registry.services.find((candidate) => candidate.name === service);
  if (found === undefined) {
    const names = registry.services.map((candidate) => candidate.name);
    const message = `no feature service is named "${service}"${didYouMean(String(service), names)}`;
    throw new FeatureStoreError('NOT_FOUND', message, { details: { service } });
  }
  const renamed = found.features.flatMap(({ view, prefix, keys: of }) =>
    of === undefined ? [] : [[prefix ?? view, of] as const],
  );
  const merged: Record<string, Record<string, string>> = {};
  for (const [label, of] of [...renamed, ...Object.entries(keys)]) merged[label] = { ...merged[label], ...of };
  return {
    features: found.features.flatMap(({ view, prefix, features: named }) =>
      named.map((feature) => `${view}${prefix === undefined ? '' : `@${prefix}`}:${feature}`),
    ),
    keys: merged,
  };
}
