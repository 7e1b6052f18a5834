/** The plan: what applying would change, field by field, and which services see it. */
import type { BoundDocument } from './bind.ts';
import { describeFills, type PlannedFill, planFills } from './plan-fills.ts';

export type PlanKind = 'entity' | 'source' | 'feature view' | 'on-demand feature view' | 'feature service';

export interface PlannedChange {
  readonly action: 'add' | 'change' | 'remove';
  readonly kind: PlanKind;
  readonly name: string;
  readonly file: string;
  /** What differs, in the document's order; for an addition or removal everything that it says. */
  readonly fields: readonly FieldChange[];
  /** What else it takes, for people. */
  readonly note?: string;
  /** Features that applying fills from history, while the stream of their source rests; absent where there are none. */
  readonly fills?: readonly PlannedFill[];
  /** Names of the feature services whose answers it concerns. */
  readonly services: readonly string[];
  /** Saved datasets, `NAME@VERSION`, that are made of it; absent where nobody looked. */
  readonly datasets?: readonly string[];
}

/** `before` or `after` is undefined where the field is not there. */
export interface FieldChange {
  /** Such as `ttl`, `features.age.type`, `columns.uid` or `tags.tier`. */
  readonly path: string;
  readonly before: unknown;
  readonly after: unknown;
}

export interface Plan {
  readonly changes: readonly PlannedChange[];
}

const sections = [
  ['entity', 'entities'],
  ['source', 'sources'],
  ['feature view', 'views'],
  ['on-demand feature view', 'onDemandViews'],
  ['feature service', 'services'],
] as const;

type Item = NonNullable<BoundDocument[(typeof sections)[number][1]]>[number];

/** Compares what is applied (undefined: nothing yet) with what would be. */
export function diffDocuments(before: BoundDocument | undefined, after: BoundDocument): Plan {
  const changes = sections.flatMap(([kind, section]) => {
    const old = new Map((before?.[section] ?? []).map((item: Item) => [item.name, item]));
    const fresh = new Map((after[section] ?? []).map((item: Item) => [item.name, item]));
    return [...new Set([...old.keys(), ...fresh.keys()])].sort().flatMap((name) => {
      const change = compare(kind, old.get(name), fresh.get(name));
      if (change === undefined) return [];
      return [{ ...change, services: isOfNoValue(change) ? [] : servicesTouched(kind, name, before, after) }];
    });
  });
  return { changes: withFills(changes, planFills(before, after)) };
}

/** A fill stands with the change of its view; where that says the same as before, with that of its source, or of another view of it. */
function withFills(changes: readonly PlannedChange[], fills: readonly PlannedFill[]): readonly PlannedChange[] {
  const find = (kind: PlanKind, name: string) => changes.find((change) => change.kind === kind && change.name === name);
  const siblings = ({ source }: PlannedFill) => fills.filter((fill) => fill.source === source).map(({ view }) => view);
  const homeOf = (fill: PlannedFill) =>
    [
      find('feature view', fill.view),
      find('source', fill.source),
      ...siblings(fill).map((view) => find('feature view', view)),
    ].find((change) => change !== undefined);
  return changes.map((change) => {
    const own = fills.filter((fill) => homeOf(fill) === change);
    if (own.length === 0) return change;
    const isOfView = change.kind === 'feature view' && own.every(({ view }) => view === change.name);
    return { ...change, note: describeFills(own, isOfView), fills: own };
  });
}

function compare(kind: PlanKind, before: Item | undefined, after: Item | undefined): Omit<PlannedChange, 'services'> | undefined {
  const old = before === undefined ? new Map<string, unknown>() : flatten(before);
  const fresh = after === undefined ? new Map<string, unknown>() : flatten(after);
  const fields = [...new Set([...fresh.keys(), ...old.keys()])]
    .filter((path) => JSON.stringify(old.get(path)) !== JSON.stringify(fresh.get(path)))
    .map((path) => ({ path, before: old.get(path), after: fresh.get(path) }));
  if (fields.length === 0) return undefined;
  const action = before === undefined ? 'add' : after === undefined ? 'remove' : 'change';
  const { name, file } = (after ?? before) as Item;
  const note = isOfNoValue({ action, fields })
    ? 'no value changes: it is measured, and nothing is written anew'
    : noteOf(before, after);
  return { action, kind, name, file, fields, ...(note === undefined ? {} : { note }) };
}

/** An objective is measured alone: what is stored and served stays. */
function isOfNoValue({ action, fields }: Pick<PlannedChange, 'action' | 'fields'>): boolean {
  return action === 'change' && fields.every(({ path }) => path === 'freshness');
}

/** Results of an SQL source belong to its definition: a new one has none. */
function noteOf(before: Item | undefined, after: Item | undefined): string | undefined {
  const [old, fresh] = [before, after].map((item) => (item !== undefined && 'query' in item ? item.query?.hash : undefined));
  if (fresh === undefined || fresh === old) return undefined;
  return `no tick has run as it is defined now: after apply, featherflight run-sql ${after?.name} --start … --end … fills a range`;
}

/** Fields by path. Lists of named things are taken apart by name, and their order is a field of its own. */
function flatten(item: Item): Map<string, unknown> {
  const fields = new Map<string, unknown>();
  const visit = (path: string, value: unknown): void => {
    if (value === undefined) return;
    if (Array.isArray(value) && value.length > 0 && value.every(isNamed)) {
      for (const { name, ...rest } of value)
        visit(`${path}.${name}`, path !== 'features' && Object.keys(rest).length === 1 ? Object.values(rest)[0] : rest);
      fields.set(
        `${path} (order)`,
        value.map((entry) => entry.name),
      );
    } else if (typeof value === 'object' && value !== null && !Array.isArray(value) && !/^features\.[^.]+\.default$/.test(path)) {
      for (const [key, inner] of Object.entries(value)) visit(path === '' ? key : `${path}.${key}`, inner);
    } else {
      fields.set(path, value);
    }
  };
  const { name, ...rest } = item;
  visit('', rest);
  // Of a transform the hash says that it changed; its text is a program.
  if (fields.delete('transform.bundle')) fields.set('transform', `sha256 ${String(fields.get('transform.hash')).slice(0, 12)}`);
  fields.delete('transform.hash');
  for (const path of fields.keys()) {
    if (
      path === 'kind' ||
      path === 'query.hash' ||
      path === 'query.usesTick' ||
      /^features\.[^.]+\.hash$/.test(path) ||
      path.includes('.tree')
    )
      fields.delete(path);
  }
  return fields;
}

function isNamed(value: unknown): value is { name: string } {
  return typeof value === 'object' && value !== null && typeof (value as { name?: unknown }).name === 'string';
}

/** Services that serve the changed thing now or would, through views, sources and entities. */
function servicesTouched(
  kind: PlanKind,
  name: string,
  before: BoundDocument | undefined,
  after: BoundDocument,
): readonly string[] {
  if (kind === 'feature service') return [name];
  const touched = [before, after].flatMap((document) => {
    const views = (document?.views ?? [])
      .filter((view) =>
        kind === 'feature view' ? view.name === name : kind === 'source' ? view.source === name : view.entities.includes(name),
      )
      .map((view) => view.name);
    const computed = (document?.onDemandViews ?? [])
      .filter((view) =>
        kind === 'on-demand feature view' ? view.name === name : view.inputs.some((input) => views.includes(input.view)),
      )
      .map((view) => view.name);
    const served = kind === 'on-demand feature view' ? computed : [...views, ...computed];
    return (document?.services ?? [])
      .filter((service) => service.features.some((item) => served.includes(item.view)))
      .map((service) => service.name);
  });
  return [...new Set(touched)].sort();
}
