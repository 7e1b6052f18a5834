/** Plans by what is asked, kept as long as their document is the applied one, so that a request only reads, decodes and fills. */

import { FeatureStoreError } from '../../errors.ts';
import type { RegistryDocument, ViewDocument } from '../../registry/document.ts';
import { findNamed } from '../../registry/references.ts';
import { openTransforms } from '../../transform/open-transform.ts';
import { compileOnlineView, type OnlineView } from '../view.ts';
import { compileWindowView, type WindowView } from '../windows/window-view.ts';
import type { OnlineRequest } from './answer.ts';
import { type OnlinePlan, type PlanScope, planOnline } from './plan.ts';

/** The plan for a request; one that was refused is planned, and refused, again. */
export type PlanCache = (registry: RegistryDocument, request: OnlineRequest) => OnlinePlan;

const defaultMaxPlans = 1000;

/** Requests that take longer to write down are planned each time, so that what is kept stays small. */
const longestName = 32_768;

export function createPlanCache(maxPlans = defaultMaxPlans): PlanCache {
  let scope: PlanScope | undefined;
  const plans = new Map<string, OnlinePlan>();
  return (registry, request) => {
    if (scope?.registry !== registry) {
      scope = createScope(registry);
      plans.clear();
    }
    const name = nameOf(request);
    const known = plans.get(name);
    if (known !== undefined) return known;
    const plan = planOnline(scope, checkSelection(request));
    if (name.length > longestName) return plan;
    if (plans.size >= maxPlans) plans.delete(plans.keys().next().value as string);
    plans.set(name, plan);
    return plan;
  };
}

function createScope(registry: RegistryDocument): PlanScope {
  const views = new Map<string, OnlineView | WindowView>();
  return {
    registry,
    transforms: openTransforms(registry.onDemandViews ?? []),
    view(name) {
      const known = views.get(name);
      if (known !== undefined) return known;
      const document = findNamed<ViewDocument>(registry.views, 'feature view', name);
      const view =
        document.kind === 'stream' ? compileWindowView(document, registry.entities) : compileOnlineView(document, registry);
      views.set(name, view);
      return view;
    },
  };
}

function checkSelection({ features, service, keys, fullFeatureNames }: OnlineRequest) {
  if ((features == null) === (service == null)) {
    throw new FeatureStoreError('INVALID_ARGUMENT', 'name either `features` or a `service`, one of them');
  }
  if (features?.length === 0) throw new FeatureStoreError('INVALID_ARGUMENT', '`features` names none; name at least one');
  return { features, service, keys: keys ?? {}, fullFeatureNames: fullFeatureNames ?? false };
}

/** Equal for equal requests only, whatever their entities. */
function nameOf({ features, service, keys, fullFeatureNames }: OnlineRequest): string {
  return JSON.stringify([fullFeatureNames, service, features, keys]);
}
