/** How two versions of datasets differ: in their recipes, their columns, what these hold, and in the sources' files. */
import type { ColumnStatistics, DatasetManifest, DatasetRecipe, SourceRecord } from './manifest.ts';
import { formatReference } from './name.ts';

export interface Change {
  readonly what: string;
  readonly from: unknown;
  readonly to: unknown;
}

export interface SourceChange {
  readonly source: string;
  /** Files, of the source's tables or of its archive, by path. */
  readonly added: readonly string[];
  readonly removed: readonly string[];
  readonly changed: readonly string[];
  /** What is erased is not what was. */
  readonly erased: boolean;
}

export interface DatasetDiff {
  readonly from: string;
  readonly to: string;
  /** Same identity, same rows. */
  readonly same: boolean;
  readonly recipe: readonly Change[];
  readonly schema: {
    readonly added: readonly string[];
    readonly removed: readonly string[];
    readonly changed: readonly Change[];
  };
  readonly rows: { readonly from: number; readonly to: number };
  readonly splits: readonly Change[];
  /** By column, the numbers that are not the same. */
  readonly statistics: readonly { readonly column: string; readonly changes: readonly Change[] }[];
  readonly sources: readonly SourceChange[];
}

export function diffDatasets(from: DatasetManifest, to: DatasetManifest): DatasetDiff {
  const names = (manifest: DatasetManifest) => manifest.columns.map((column) => column.name);
  const both = from.columns.flatMap((column) => {
    const other = to.columns.find(({ name }) => name === column.name);
    return other === undefined ? [] : [{ column, other }];
  });
  const sizes = (manifest: DatasetManifest) => Object.fromEntries(manifest.splits.map(({ name, rows }) => [name, rows]));
  return {
    from: formatReference(from),
    to: formatReference(to),
    same: from.id === to.id,
    recipe: diffRecipes(from.recipe, to.recipe),
    schema: {
      added: names(to).filter((name) => !names(from).includes(name)),
      removed: names(from).filter((name) => !names(to).includes(name)),
      changed: both.flatMap(({ column, other }) => [
        ...changeOf(`${column.name}: type`, column.type, other.type),
        ...changeOf(`${column.name}: role`, column.role, other.role),
      ]),
    },
    rows: { from: from.rows, to: to.rows },
    splits: diffMembers(sizes(from), sizes(to)),
    statistics: both.flatMap(({ column, other }) => {
      const changes = diffMembers(shownStatistics(column.statistics), shownStatistics(other.statistics));
      return changes.length === 0 ? [] : [{ column: column.name, changes }];
    }),
    sources: diffSources(from.recipe.sources, to.recipe.sources),
  };
}

/** Definitions by feature, the frame by its hash; sources apart. */
function diffRecipes(from: DatasetRecipe, to: DatasetRecipe): Change[] {
  return diffMembers(shownRecipe(from), shownRecipe(to));
}

function shownRecipe({ frame, definitions, sources: _, views: __, identity: ___, join_keys: ____, ...rest }: DatasetRecipe) {
  return {
    ...rest,
    'frame hash': frame.hash,
    'frame rows': frame.rows,
    registry_version: definitions.registry_version,
    ...Object.fromEntries(definitions.features.map(({ name, hash }) => [`definition of ${name}`, hash])),
    ...Object.fromEntries(definitions.transforms.map(({ view, hash }) => [`transform of ${view}`, hash])),
  };
}

/** That histograms, most frequent values or nulls of a split differ shows in the other numbers, or in the splits. */
function shownStatistics({ histogram: _, top: __, nulls_by_split: ___, ...numbers }: ColumnStatistics) {
  return numbers;
}

/** Which sources are not in the same state, and by which files. */
export function diffSources(from: readonly SourceRecord[], to: readonly SourceRecord[]): SourceChange[] {
  const names = [...new Set([...from, ...to].map(({ source }) => source))];
  return names.flatMap((source) => {
    const before = from.find((one) => one.source === source);
    const after = to.find((one) => one.source === source);
    if (before?.hash === after?.hash) return [];
    const old = filesOf(before);
    const now = filesOf(after);
    return [
      {
        source,
        added: [...now.keys()].filter((path) => !old.has(path)),
        removed: [...old.keys()].filter((path) => !now.has(path)),
        changed: [...now].filter(([path, state]) => old.has(path) && old.get(path) !== state).map(([path]) => path),
        erased: (before?.erased ?? null) !== (after?.erased ?? null),
      },
    ];
  });
}

function filesOf(record: SourceRecord | undefined): ReadonlyMap<string, string> {
  const files = [...(record?.files ?? []), ...(record?.archived ?? [])];
  return new Map(files.map(({ path, ...state }) => [path, JSON.stringify(state)]));
}

function diffMembers(from: Readonly<Record<string, unknown>>, to: Readonly<Record<string, unknown>>): Change[] {
  const names = [...new Set([...Object.keys(from), ...Object.keys(to)])];
  return names.flatMap((name) => changeOf(name, from[name] ?? null, to[name] ?? null));
}

function changeOf(what: string, from: unknown, to: unknown): Change[] {
  return JSON.stringify(from) === JSON.stringify(to) || isNear(from, to) ? [] : [{ what, from, to }];
}

/** Sums of the same numbers in another order differ in their last digits, which tell nothing. */
function isNear(from: unknown, to: unknown): boolean {
  if (typeof from !== 'number' || typeof to !== 'number' || (Number.isInteger(from) && Number.isInteger(to))) return false;
  return Math.abs(from - to) <= 1e-9 * Math.max(Math.abs(from), Math.abs(to));
}
