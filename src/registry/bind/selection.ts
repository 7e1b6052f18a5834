/** Views and selections from them, as services and transforms name them, as documents. */

import type { FeatureView } from '../../definitions/feature-view.ts';
import type { OnDemandFeatureView, OnDemandSelection } from '../../definitions/on-demand-feature-view.ts';
import type { StreamFeatureView } from '../../definitions/stream-feature-view.ts';
import type { ViewSelection } from '../../definitions/view-selection.ts';
import { didYouMean } from '../../errors.ts';
import type { OnDemandViewDocument, ServiceFeatures, ViewDocument } from '../document.ts';
import type { Report } from '../problems.ts';
import { checkName, isRecord } from './options.ts';

/** What a selection can refer to. */
export interface SelectionScope {
  readonly isExported: (definition: unknown) => boolean;
  readonly views: ReadonlyMap<string, ViewDocument>;
}

type AnySelection = FeatureView | StreamFeatureView | ViewSelection | OnDemandFeatureView | OnDemandSelection;

/** Whether a value is an on-demand view or a selection from one. */
export function isOnDemand(item: unknown): item is OnDemandFeatureView | OnDemandSelection {
  return isRecord(item) && (item.kind === 'onDemandFeatureView' || item.kind === 'onDemandSelection');
}

/** Checks a selection of a batch view; `list` is the option that it stands in. */
export function bindSelection(
  what: string,
  list: string,
  item: unknown,
  scope: SelectionScope,
  report: Report,
): readonly ServiceFeatures[] {
  if (!isRecord(item) || (item.kind !== 'featureView' && item.kind !== 'streamFeatureView' && item.kind !== 'viewSelection')) {
    report(`${what}: ${list} holds something that is no feature view; make it with featureView(…)`);
    return [];
  }
  const view = (item.kind === 'viewSelection' ? item.view : item) as FeatureView;
  const bound = scope.views.get(view.name);
  if (bound === undefined || !scope.isExported(view)) return refuseUnknown(what, view.name, report);
  const selection = item as unknown as AnySelection & { readonly keys?: Readonly<Record<string, string>> };
  const keys = item.kind === 'viewSelection' ? selection.keys : undefined;
  const keyNames = bound.keys.map((key) => key.name);
  for (const [name, column] of Object.entries(keys ?? {})) {
    if (!keyNames.includes(name)) {
      report(
        `${what}: withKeys names "${name}", which is no join key of feature view "${view.name}"${didYouMean(name, keyNames)}`,
      );
    }
    if (typeof column !== 'string' || column === '') report(`${what}: withKeys gives "${name}" no column of the frame`);
  }
  return [{ ...bindNames(what, selection, view, bound, report), ...(keys === undefined ? {} : { keys: { ...keys } }) }];
}

/** Checks a selection of an on-demand view. */
export function bindOnDemandSelection(
  what: string,
  item: OnDemandFeatureView | OnDemandSelection,
  scope: { readonly isExported: SelectionScope['isExported']; readonly onDemandViews: ReadonlyMap<string, OnDemandViewDocument> },
  report: Report,
): readonly ServiceFeatures[] {
  const view = item.kind === 'onDemandSelection' ? item.view : item;
  const bound = scope.onDemandViews.get(view.name);
  if (bound === undefined || !scope.isExported(view)) return refuseUnknown(what, view.name, report);
  return [bindNames(what, item, view, bound, report)];
}

function refuseUnknown(what: string, view: string, report: Report): readonly never[] {
  report(`${what}: feature view "${view}" is exported by no file under features; export it`);
  return [];
}

function bindNames(
  what: string,
  item: AnySelection,
  view: FeatureView | StreamFeatureView | OnDemandFeatureView,
  bound: ViewDocument | OnDemandViewDocument,
  report: Report,
): ServiceFeatures {
  const selection = item.kind === 'viewSelection' || item.kind === 'onDemandSelection' ? item : undefined;
  const names = bound.features.map((feature) => feature.name);
  const features = selection?.features ?? names;
  if (features.length === 0) report(`${what}: select() of feature view "${view.name}" names no feature`);
  for (const name of features) {
    const declared = Object.hasOwn(view.features, name);
    if (!declared) report(`${what}: feature view "${view.name}" has no feature "${name}"${didYouMean(name, names)}`);
  }
  const prefix = selection?.prefix;
  if (prefix !== undefined) checkName(`${what}: prefix`, prefix, report);
  return { view: view.name, ...(prefix === undefined ? {} : { prefix }), features: [...features] };
}
