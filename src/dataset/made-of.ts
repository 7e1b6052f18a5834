/** Which datasets are made of what a change of the definitions concerns. */
import type { PlannedChange } from '../registry/diff.ts';
import type { DatasetManifest, DatasetRecipe } from './manifest.ts';
import { formatReference } from './name.ts';

/** Members of definitions that change no value. */
const forPeople = /^(description|owner|file|tags|deprecated|freshness|features\.[^.]+\.(description|deprecated|expect))(\.|$| )/;

/** Changes with the datasets, `NAME@VERSION`, whose rows might come out otherwise by them; what is for people alone touches none. */
export function withDatasets(
  changes: readonly PlannedChange[],
  datasets: readonly DatasetManifest[],
): readonly (PlannedChange & { readonly datasets: readonly string[] })[] {
  return changes.map((change) => {
    const isOfNoValue = change.action === 'change' && change.fields.every(({ path }) => forPeople.test(path));
    const touched = isOfNoValue ? [] : datasets.filter(({ recipe }) => isMadeOf(recipe, change));
    return { ...change, datasets: touched.map(formatReference) };
  });
}

function isMadeOf({ sources, views, service }: DatasetRecipe, { kind, name }: Pick<PlannedChange, 'kind' | 'name'>): boolean {
  switch (kind) {
    case 'source':
      return sources.some(({ source }) => source === name);
    case 'feature view':
    case 'on-demand feature view':
      return views.includes(name);
    case 'feature service':
      return service === name;
    case 'entity':
      return false;
  }
}
