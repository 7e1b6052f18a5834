/** Datasets as people read them on a terminal. */
import type { Change, DatasetDiff } from '../dataset/diff.ts';
import { formatGate } from '../dataset/expectations.ts';
import type { ColumnStatistics, DatasetManifest } from '../dataset/manifest.ts';
import type { Reproduction } from '../dataset/reproduce.ts';
import { describeSourceChange } from '../dataset/reproduce.ts';
import type { Split } from '../dataset/request.ts';
import { nameModel, type ShownDataset } from '../dataset/shown.ts';
import { foldLine, terminalWidth } from './fold-line.ts';
import { printTable } from './print-table.ts';

/** What was saved, and what of it should be looked at. */
export function formatCreated(made: ShownDataset & { readonly created: boolean }): string {
  const head = made.created ? 'saved' : 'nothing new: the newest version is the same,';
  return `${[`${head} ${made.name}@${made.version} with ${countRows(made)}`, ...formatGates(made), `id ${made.id}`].join('\n')}\n`;
}

function countRows({ rows, splits }: DatasetManifest): string {
  const all = count(rows, 'row');
  if (splits.length === 1) return all;
  return `${all} (${splits.map((split) => `${split.name} ${split.rows.toLocaleString('en')}`).join(', ')})`;
}

function formatGates({ gates }: DatasetManifest): string[] {
  return gates.filter(({ ok }) => !ok).flatMap((gate) => fold(`warning: ${formatGate(gate)}`));
}

/** Everything that fits into lines. */
export function formatDataset(shown: ShownDataset): string {
  const { recipe } = shown;
  const facts: readonly (readonly [string, string | null])[] = [
    ['id', shown.id],
    ['rows', countRows(shown)],
    ['created', `${shown.created_at.slice(0, 19)}Z${shown.created_by === null ? '' : ` by ${shown.created_by}`}`],
    ['description', shown.description],
    ['made of', recipe.service === null ? (recipe.features ?? []).join(', ') : `service ${recipe.service}`],
    ['definitions', `version ${recipe.definitions.registry_version}`],
    ['at', recipe.at],
    ['split', recipe.split === null ? null : describeSplit(recipe.split)],
    ['frame', `${recipe.frame.rows.toLocaleString('en')} rows, ${recipe.frame.origin_path ?? 'uploaded'}`],
    ['made by', recipe.versions],
    ['reproducible', shown.reproducible ? null : `no: ${shown.why_not}`],
    ['models', shown.tags.map(nameModel).join(', ') || null],
    ...recipe.sources.map(
      ({ source, files, archived }) => ['source', `${source}: ${count(files.length + archived.length, 'file')}`] as const,
    ),
  ];
  const known = facts.filter((fact): fact is readonly [string, string] => fact[1] !== null);
  const width = Math.max(...known.map(([name]) => name.length));
  const lines = known.flatMap(([name, text]) =>
    foldLine(text.split(' '), terminalWidth - width - 4).map((line, at) => `  ${(at === 0 ? name : '').padEnd(width)}  ${line}`),
  );
  const columns = shown.columns.map(({ name, type, role, statistics }) => ({
    column: name,
    role,
    type,
    nulls: share(statistics.nulls, shown.rows),
    default: statistics.defaults === undefined ? '' : share(statistics.defaults, shown.rows),
    ...shownRange(statistics),
  }));
  const heads = ['column', 'role', 'type', 'nulls', 'default', 'range', 'distinct'];
  const gates = shown.gates.map((gate) => `${gate.ok ? 'holds' : 'broken'}: ${formatGate(gate)}`);
  return `dataset ${shown.name}@${shown.version}\n${lines.join('\n')}\n\n${printTable(heads, columns, undefined, terminalWidth)}${gates
    .flatMap((gate) => fold(gate))
    .map((line) => `${line}\n`)
    .join('')}`;
}

function count(many: number, what: string): string {
  return `${many.toLocaleString('en')} ${what}${many === 1 ? '' : 's'}`;
}

function describeSplit({ time, entity, random }: Split): string {
  if (time !== undefined) {
    const parts = time.boundaries.map(({ name, until }) => (until === undefined ? name : `${name} before ${until}`));
    return `by ${time.column ?? 'time'}: ${parts.join(', ')}`;
  }
  const { parts, seed } = (entity ?? random) as NonNullable<Split['random']>;
  const by = entity === undefined ? 'rows' : entity.keys.join(', ');
  return `of ${by}: ${Object.entries(parts)
    .map(([name, share]) => `${name} ${share}`)
    .join(', ')} (seed ${seed})`;
}

function shownRange({ min, max, distinct, distinct_exact }: ColumnStatistics) {
  const [low, high] = [shorten(min), shorten(max)];
  return {
    range: low === '' && high === '' ? '' : `${low} to ${high}`,
    distinct: distinct === undefined ? '' : `${distinct_exact ? '' : '~'}${distinct}`,
  };
}

function shorten(value: string | null | undefined): string {
  if (value === undefined || value === null) return '';
  if (/^\d{4}-\d\d-\d\dT/.test(value)) return value.slice(0, 10);
  return value.length > 12 && Number.isFinite(Number(value)) ? String(Number(Number(value).toPrecision(6))) : value;
}

function share(part: number, all: number): string {
  if (part === 0 || all === 0) return '0 %';
  const percent = (100 * part) / all;
  return percent < 0.1 ? '< 0.1 %' : `${percent.toFixed(1)} %`;
}

export function formatDiff(diff: DatasetDiff): string {
  const lines = [`${diff.from} and ${diff.to} ${diff.same ? 'are the same' : 'differ'}`];
  const section = (title: string, found: readonly string[]) => {
    if (found.length > 0) lines.push(title, ...found.flatMap((line) => fold(line, '  ')));
  };
  section('recipe', diff.recipe.map(describeChange));
  section('columns', [
    ...diff.schema.added.map((name) => `added ${name}`),
    ...diff.schema.removed.map((name) => `removed ${name}`),
    ...diff.schema.changed.map(describeChange),
  ]);
  section('rows', [
    ...(diff.rows.from === diff.rows.to ? [] : [`all: ${diff.rows.from} -> ${diff.rows.to}`]),
    ...diff.splits.map(describeChange),
  ]);
  section(
    'statistics',
    diff.statistics.map(({ column, changes }) => `${column}: ${changes.map(describeChange).join(', ')}`),
  );
  section('sources', diff.sources.map(describeSourceChange));
  return `${lines.join('\n')}\n`;
}

function describeChange({ what, from, to }: Change): string {
  if (what === 'split') {
    const [before, after] = [from, to].map((split) => (split === null ? 'none' : describeSplit(split as Split)));
    return `split: ${before} -> ${after}`;
  }
  return `${what}: ${brief(from)} -> ${brief(to)}`;
}

function brief(value: unknown): string {
  if (value === null || value === undefined) return 'none';
  if (typeof value === 'string') return /^[0-9a-f]{64}$/.test(value) ? value.slice(0, 12) : value;
  return typeof value === 'number' ? String(Number(value.toPrecision(6))) : JSON.stringify(value);
}

export function formatReproduction(found: Reproduction): string {
  const { dataset, same, same_identity: sameIdentity, reasons, columns, rows } = found;
  const lines = [
    same ? `${dataset} came out bit for bit: ${rows.toLocaleString('en')} rows` : `${dataset} did not come out as it was saved`,
  ];
  if (same && !sameIdentity) lines.push('although not all that it was made of is as it was:');
  lines.push(...reasons.flatMap((reason) => fold(reason, '  ')));
  if (columns.length > 0)
    lines.push(...fold(`differs in ${columns.map(({ column, rows: n }) => `${column} (${n} rows)`).join(', ')}`, '  '));
  return `${lines.join('\n')}\n`;
}

function fold(line: string, indent = ''): string[] {
  return foldLine(line.split(' '), terminalWidth - indent.length).map((part) => `${indent}${part}`);
}
