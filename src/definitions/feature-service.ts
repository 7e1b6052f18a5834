/** A feature service: the features that one model is trained on and served with, under one name. */
import type { DeprecatedOptions } from './deprecated.ts';
import { type DescribedOptions, freezeCopy } from './described.ts';
import type { FeatureView } from './feature-view.ts';
import type { OnDemandFeatureView, OnDemandSelection } from './on-demand-feature-view.ts';
import type { StreamFeatureView } from './stream-feature-view.ts';
import type { ViewSelection } from './view-selection.ts';

export interface FeatureServiceOptions extends DescribedOptions {
  /** Views whole, selected from, renamed or joined by other keys, in the order of the answer. */
  readonly features: readonly (FeatureView | StreamFeatureView | ViewSelection | OnDemandFeatureView | OnDemandSelection)[];
  readonly deprecated?: DeprecatedOptions;
}

export interface FeatureService extends FeatureServiceOptions {
  readonly kind: 'featureService';
  readonly name: string;
}

/** Defines a feature service: `featureService('ranker_v1', { features: [profile, stats.select('clicks')] })`. */
export function featureService(name: string, options: FeatureServiceOptions): FeatureService {
  return freezeCopy({ ...options, kind: 'featureService', name });
}
