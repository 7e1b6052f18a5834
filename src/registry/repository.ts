/** A repository as loaded: its config and every exported definition with the file that exports it. */
import type { Config } from '../config.ts';
import type { BatchSource } from '../definitions/batch-source.ts';
import type { Entity } from '../definitions/entity.ts';
import type { EventSource } from '../definitions/event-source.ts';
import type { FeatureService } from '../definitions/feature-service.ts';
import type { FeatureView } from '../definitions/feature-view.ts';
import type { OnDemandFeatureView } from '../definitions/on-demand-feature-view.ts';
import type { SqlSource } from '../definitions/sql-source.ts';
import type { StreamFeatureView } from '../definitions/stream-feature-view.ts';

export type Definition =
  | Entity
  | BatchSource
  | EventSource
  | SqlSource
  | FeatureView
  | StreamFeatureView
  | OnDemandFeatureView
  | FeatureService;

/** The kinds of definitions, with the words that messages use for them; views of every kind share their names, and so do sources. */
export const kindNames = {
  entity: 'entity',
  batchSource: 'source',
  eventSource: 'source',
  sqlSource: 'source',
  featureView: 'feature view',
  streamFeatureView: 'feature view',
  onDemandFeatureView: 'feature view',
  featureService: 'feature service',
} as const satisfies Record<Definition['kind'], string>;

export interface Loaded<D extends Definition = Definition> {
  readonly definition: D;
  /** Relative to the repository, with forward slashes. */
  readonly file: string;
}

export interface Repository {
  /** Absolute. */
  readonly root: string;
  readonly config: Config;
  readonly definitions: readonly Loaded[];
}

/** The loaded definitions of one kind. */
export function definitionsOfKind<K extends Definition['kind']>(
  repository: Repository,
  kind: K,
): readonly Loaded<Extract<Definition, { kind: K }>>[] {
  return repository.definitions.filter((loaded) => loaded.definition.kind === kind) as unknown as Loaded<
    Extract<Definition, { kind: K }>
  >[];
}
