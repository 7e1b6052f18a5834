/** Rules that can find nothing wrong, as what they name, or what they look at, is not there. */
import { didYouMean } from '../../errors.ts';
import type { RegistryDocument } from '../../registry/document.ts';
import { onDemandViewsOf } from '../../registry/references.ts';
import { type AlertRule, nameOf } from './step.ts';

type Rule = Omit<AlertRule, 'forMs'>;
type Applied = Pick<RegistryDocument, 'sources' | 'views' | 'onDemandViews'>;

/** A line for each, which says why. */
export function findSilentRules(rules: readonly Rule[], applied: Applied, isLogged: boolean): readonly string[] {
  return rules.flatMap((rule) => {
    const why = explainSilence(rule, applied, isLogged);
    return why === undefined ? [] : [`the rule "${nameOf(rule)}" of alerts finds nothing: ${why}`];
  });
}

function explainSilence({ when, view, feature, source }: Rule, applied: Applied, isLogged: boolean): string | undefined {
  if (when === 'feature' && !isLogged) return 'nothing that is served is logged; configure logging';
  const views = [...applied.views, ...onDemandViewsOf(applied)].filter(({ name }) => view === undefined || name === view);
  if (view !== undefined && views.length === 0) {
    return `no view "${view}" is applied${didYouMean(view, namesOf([...applied.views, ...onDemandViewsOf(applied)]))}`;
  }
  const features = views.flatMap((each) => namesOf(each.features));
  if (feature !== undefined && !features.includes(feature))
    return `no feature "${feature}" is applied${didYouMean(feature, features)}`;
  const sources = namesOf(applied.sources.filter(({ kind }) => kind === 'event'));
  if (source !== undefined && !sources.includes(source))
    return `no event source "${source}" is applied${didYouMean(source, sources)}`;
  if (when === 'freshness' && !views.some((each) => 'freshness' in each)) {
    return view === undefined
      ? 'no view has an objective; define one with freshness: "24h"'
      : 'the view has no objective; give it freshness: "24h"';
  }
  return undefined;
}

function namesOf(items: readonly { readonly name: string }[]): readonly string[] {
  return items.map(({ name }) => name);
}
