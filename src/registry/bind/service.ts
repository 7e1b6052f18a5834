/** Feature services as documents. */
import type { FeatureService } from '../../definitions/feature-service.ts';
import type { OnDemandViewDocument, ServiceDocument, ServiceFeatures } from '../document.ts';
import type { Report } from '../problems.ts';
import { bindDeprecated } from './deprecated.ts';
import { bindDescribed, checkName, checkOptions, optionNames } from './options.ts';
import { bindOnDemandSelection, bindSelection, isOnDemand, type SelectionScope } from './selection.ts';

export interface ServiceScope extends SelectionScope {
  readonly onDemandViews: ReadonlyMap<string, OnDemandViewDocument>;
}

/** Checks a service and everything it refers to. */
export function bindService(service: FeatureService, file: string, scope: ServiceScope, report: Report): ServiceDocument {
  const what = `feature service "${service.name}"`;
  checkName('feature service', service.name, report);
  checkOptions(what, service, optionNames('features', 'deprecated'), report);
  const items: readonly unknown[] = Array.isArray(service.features) ? service.features : [];
  if (items.length === 0) report(`${what} has no features; write features: [someView, otherView.select("age")]`);
  const features = items.flatMap((item) =>
    isOnDemand(item) ? bindOnDemandSelection(what, item, scope, report) : bindSelection(what, 'features', item, scope, report),
  );
  checkLabels(what, features, report);
  return {
    name: service.name,
    features,
    ...bindDeprecated(what, service, report),
    ...bindDescribed(what, service, file, report),
  };
}

/** One prefix (or unprefixed view) stands for one view joined by one set of keys, and holds a feature once. */
function checkLabels(what: string, items: readonly ServiceFeatures[], report: Report): void {
  const first = new Map<string, ServiceFeatures>();
  const seen = new Set<string>();
  for (const item of items) {
    const label = item.prefix ?? item.view;
    const other = first.get(label);
    if (other === undefined) first.set(label, item);
    else if (other.view !== item.view) {
      report(
        `${what}: "${label}" stands for feature view "${other.view}" and for "${item.view}"; give one another prefix with as("…")`,
      );
    } else if (keysText(other) !== keysText(item)) {
      report(`${what}: feature view "${item.view}" is joined by different keys under one name; give one a prefix with as("…")`);
    }
    for (const name of item.features) {
      if (seen.has(`${label}:${name}`)) report(`${what}: feature "${label}:${name}" is listed twice`);
      seen.add(`${label}:${name}`);
    }
  }
}

function keysText(item: ServiceFeatures): string {
  return JSON.stringify(Object.entries(item.keys ?? {}).sort());
}
