/** Binds a loaded repository against its files: the document that apply would store, or everything wrong at once. */

import { bindEntity } from './bind/entity.ts';
import { bindEventSource } from './bind/event-source.ts';
import { bindOnDemandView, type CheckTransform } from './bind/on-demand-view.ts';
import { bindService } from './bind/service.ts';
import { bindSource, type DescribeTable } from './bind/source.ts';
import { bindSqlSource, type StatementTools } from './bind/sql-source.ts';
import { bindStreamView, type ParseExpression } from './bind/stream-view.ts';
import { bindView } from './bind/view.ts';
import { openBundler } from './bundle/bundle-transform.ts';
import type { OnDemandViewDocument, RegistryDocument, ViewDocument } from './document.ts';
import { type Problem, problemsError, type Report } from './problems.ts';
import { definitionsOfKind, type Loaded, type Repository } from './repository.ts';

export type { CheckTransform } from './bind/on-demand-view.ts';
export type { DescribeTable } from './bind/source.ts';
export type { ParseExpression } from './bind/stream-view.ts';

/** A document before apply gives it a version. */
export type BoundDocument = Omit<RegistryDocument, 'version' | 'appliedAt'>;

/** What binding asks of the engine that will read and compute. */
export interface BindTools extends StatementTools {
  readonly describeTable: DescribeTable;
  readonly parseExpression: ParseExpression;
  readonly checkTransform?: CheckTransform;
}

/**
 * Binds every definition; INVALID_ARGUMENT lists all problems by file. Lists are ordered by name, whatever the files' order.
 * `checkTransform` is told each on-demand view as it would be applied.
 */
export async function bindRepository(
  repository: Repository,
  { describeTable, parseExpression, checkTransform = () => {}, ...statements }: BindTools,
): Promise<BoundDocument> {
  const problems: Problem[] = [];
  const reportFor =
    ({ file }: Loaded): Report =>
    (message) =>
      problems.push({ file, message });
  const exported = new Set<unknown>(repository.definitions.map((loaded) => loaded.definition));
  const isExported = (definition: unknown) => exported.has(definition);

  const entities = definitionsOfKind(repository, 'entity').map((loaded) =>
    bindEntity(loaded.definition, loaded.file, reportFor(loaded)),
  );
  const read = await Promise.all([
    ...definitionsOfKind(repository, 'batchSource').map((loaded) =>
      bindSource(loaded.definition, loaded.file, describeTable, reportFor(loaded)),
    ),
    ...definitionsOfKind(repository, 'eventSource').map((loaded) =>
      bindEventSource(loaded.definition, loaded.file, repository.root, describeTable, reportFor(loaded)),
    ),
  ]);
  const readByName = new Map(read.map((source) => [source.name, source]));
  const derived = await Promise.all(
    definitionsOfKind(repository, 'sqlSource').map((loaded) =>
      bindSqlSource(loaded.definition, loaded.file, { isExported, sources: readByName }, statements, reportFor(loaded)),
    ),
  );
  const sources = [...read, ...derived];
  const sourcesByName = new Map(sources.map((source) => [source.name, source]));
  const scope = { isExported, sources: sourcesByName };
  const views = definitionsOfKind(repository, 'featureView').map((loaded) =>
    bindView(loaded.definition, loaded.file, scope, reportFor(loaded)),
  );
  for (const loaded of definitionsOfKind(repository, 'streamFeatureView')) {
    views.push(await bindStreamView(loaded.definition, loaded.file, scope, parseExpression, reportFor(loaded)));
  }
  const viewsByName = new Map(views.map((view) => [view.name, view]));
  const onDemandViews = await bindOnDemandViews(repository, { isExported, views: viewsByName }, checkTransform, reportFor);
  const onDemandByName = new Map(onDemandViews.map((view) => [view.name, view]));
  const services = definitionsOfKind(repository, 'featureService').map((loaded) =>
    bindService(
      loaded.definition,
      loaded.file,
      { isExported, views: viewsByName, onDemandViews: onDemandByName },
      reportFor(loaded),
    ),
  );

  if (problems.length > 0) throw problemsError(problems);
  return {
    format: 1,
    project: repository.config.project,
    entities: byName(entities),
    sources: byName(sources),
    views: byName(views),
    ...(onDemandViews.length === 0 ? {} : { onDemandViews: byName(onDemandViews) }),
    services: byName(services),
  };
}

async function bindOnDemandViews(
  repository: Repository,
  scope: { readonly isExported: (definition: unknown) => boolean; readonly views: ReadonlyMap<string, ViewDocument> },
  check: CheckTransform,
  reportFor: (loaded: Loaded) => Report,
): Promise<OnDemandViewDocument[]> {
  const bundler = openBundler(repository.root);
  try {
    return await Promise.all(
      definitionsOfKind(repository, 'onDemandFeatureView').map((loaded) =>
        bindOnDemandView(loaded.definition, loaded.file, scope, { bundle: bundler.bundle, check }, reportFor(loaded)),
      ),
    );
  } finally {
    await bundler.close();
  }
}

function byName<T extends { readonly name: string }>(items: readonly T[]): readonly T[] {
  return [...items].sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
}
