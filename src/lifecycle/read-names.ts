/** Which features an answer is made of: what was asked for, and what transforms read for it. */
import type { OnlineAnswer } from '../online/retrieve/answer.ts';
import type { Resolution } from '../registry/resolve.ts';
import type { ReadNames } from './usage-tally.ts';

export function namesOfAnswer({ columns, origin: { plan, request } }: Pick<OnlineAnswer, 'columns' | 'origin'>): ReadNames {
  const inputs = plan.features.map(({ view, name }) => ({ view, feature: name }));
  return { features: distinct([...inputs, ...columns]), service: request.service };
}

export function namesOfResolution(
  { lookups, features, transforms, outputs }: Pick<Resolution, 'lookups' | 'features' | 'transforms' | 'outputs'>,
  service: string | null | undefined,
): ReadNames {
  const read = features.map(({ lookup, feature }) => ({ view: lookups[lookup]?.view.name as string, feature: feature.name }));
  const computed = outputs.flatMap((output) => {
    if (output.kind === 'feature') return [];
    const view = transforms[output.transform]?.view;
    return [{ view: view?.name as string, feature: view?.features[output.output]?.name as string }];
  });
  return { features: distinct([...read, ...computed]), service };
}

function distinct(features: ReadNames['features']): ReadNames['features'] {
  return [...new Map(features.map(({ view, feature }) => [`${view}:${feature}`, { view, feature }])).values()];
}
