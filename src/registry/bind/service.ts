/** Feature services as documents. */
import type { FeatureService } from '../../definitions/feature-service.ts';
import type { FeatureView, ViewSelection } from '../../definitions/feature-view.ts';
import { didYouMean } from '../../errors.ts';
import type { Deprecation, ServiceDocument, ServiceFeatures, ViewDocument } from '../document.ts';
import type { Report } from '../problems.ts';
import { bindDescribed, checkName, checkOptions, isRecord, optionNames } from './options.ts';

export interface ServiceScope {
  readonly isExported: (definition: unknown) => boolean;
  readonly views: ReadonlyMap<string, ViewDocument>;
}

const deprecationNames = ['since', 'reason', 'replacement', 'removeAfter'];

/** Checks a service and everything it refers to. */
export function bindService(service: FeatureService, file: string, scope: ServiceScope, report: Report): ServiceDocument {
  const what = `feature service "${service.name}"`;
  checkName('feature service', service.name, report);
  checkOptions(what, service, optionNames('features', 'deprecated'), report);
  const items: readonly unknown[] = Array.isArray(service.features) ? service.features : [];
  if (items.length === 0) report(`${what} has no features; write features: [someView, otherView.select("age")]`);
  const features = items.flatMap((item) => bindSelection(what, item, scope, report));
  checkLabels(what, features, report);
  const deprecated = bindDeprecation(what, service.deprecated, report);
  return {
    name: service.name,
    features,
    ...(deprecated === undefined ? {} : { deprecated }),
    ...bindDescribed(what, service, file, report),
  };
}

function bindSelection(what: string, item: unknown, scope: ServiceScope, report: Report): readonly ServiceFeatures[] {
  if (!isRecord(item) || (item.kind !== 'featureView' && item.kind !== 'viewSelection')) {
    report(`${what}: features holds something that is no feature view; make it with featureView(…)`);
    return [];
  }
  const selection: Partial<ViewSelection> = item.kind === 'viewSelection' ? (item as unknown as ViewSelection) : {};
  const view = (selection.view ?? item) as FeatureView;
  const bound = scope.views.get(view.name);
  if (bound === undefined || !scope.isExported(view)) {
    report(`${what}: feature view "${view.name}" is exported by no file under features; export it`);
    return [];
  }
  const names = bound.features.map((feature) => feature.name);
  const features = selection.features ?? names;
  if (features.length === 0) report(`${what}: select() of feature view "${view.name}" names no feature`);
  for (const name of features) {
    const declared = Object.hasOwn(view.features, name);
    if (!declared) report(`${what}: feature view "${view.name}" has no feature "${name}"${didYouMean(name, names)}`);
  }
  if (selection.prefix !== undefined) checkName(`${what}: prefix`, selection.prefix, report);
  const keyNames = bound.keys.map((key) => key.name);
  for (const [name, column] of Object.entries(selection.keys ?? {})) {
    if (!keyNames.includes(name)) {
      report(
        `${what}: withKeys names "${name}", which is no join key of feature view "${view.name}"${didYouMean(name, keyNames)}`,
      );
    }
    if (typeof column !== 'string' || column === '') report(`${what}: withKeys gives "${name}" no column of the frame`);
  }
  return [
    {
      view: view.name,
      ...(selection.prefix === undefined ? {} : { prefix: selection.prefix }),
      ...(selection.keys === undefined ? {} : { keys: { ...selection.keys } }),
      features: [...features],
    },
  ];
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

function bindDeprecation(what: string, deprecated: unknown, report: Report): Deprecation | undefined {
  if (deprecated === undefined) return undefined;
  if (!isRecord(deprecated) || Object.values(deprecated).some((value) => value !== undefined && typeof value !== 'string')) {
    report(`${what}: deprecated is texts: { since, reason, replacement, removeAfter }`);
    return undefined;
  }
  checkOptions(`${what}: deprecated`, deprecated, deprecationNames, report);
  return { ...deprecated };
}
