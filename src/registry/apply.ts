/** Plan and apply: from a repository to the stored document. */

import { FeatureStoreError } from '../errors.ts';
import { type BindTools, type BoundDocument, bindRepository } from './bind.ts';
import { diffDocuments, type Plan } from './diff.ts';
import type { RegistryDocument } from './document.ts';
import type { Repository } from './repository.ts';
import type { StateReader, StateStore } from './state.ts';

/** What apply would do, bound against the files as they are. */
export interface PlannedApply {
  readonly document: BoundDocument;
  readonly plan: Plan;
  /** The applied version that the plan compares with; 0 is none. */
  readonly baseVersion: number;
}

/** Binds the repository and compares it with what is applied; refuses as bindRepository does. */
export async function planApply(
  repository: Repository,
  state: Pick<StateReader, 'readDocument'>,
  tools: BindTools,
): Promise<PlannedApply> {
  const current = state.readDocument();
  if (current !== undefined && current.project !== repository.config.project) {
    throw new FeatureStoreError(
      'FAILED_PRECONDITION',
      `the state in ${repository.config.state} belongs to project "${current.project}", not "${repository.config.project}"; give this project a state of its own`,
      { details: { applied: current.project, project: repository.config.project } },
    );
  }
  const document = await bindRepository(repository, tools);
  return { document, plan: diffDocuments(current, document), baseVersion: current?.version ?? 0 };
}

/**
 * Stores what was planned as the next version; without changes the applied document stays as it is. ABORTED if another apply came first.
 * `prepare` does what must be done before anybody is served by it.
 */
export async function applyPlanned(
  planned: PlannedApply,
  state: StateStore,
  nowIso: string,
  prepare?: (document: RegistryDocument) => Promise<void>,
): Promise<RegistryDocument> {
  const current = state.readDocument();
  if (current !== undefined && planned.plan.changes.length === 0 && current.version === planned.baseVersion) return current;
  const document: RegistryDocument = { ...planned.document, version: planned.baseVersion + 1, appliedAt: nowIso };
  await prepare?.(document);
  await state.writeDocument(document);
  return document;
}
