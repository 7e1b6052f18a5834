/** A plan as text for people: `+` added, `~` changed field by field, `-` removed. */
import type { FieldChange, Plan, PlannedChange } from './diff.ts';

const marks = { add: '+', change: '~', remove: '-' } as const;

/** Lines to print; a plan without changes is one line that says so. */
export function formatPlan(plan: Plan): string {
  if (plan.changes.length === 0) return 'No changes: the definitions are applied as they are.';
  const counts = (['add', 'change', 'remove'] as const).map(
    (action) => plan.changes.filter((change) => change.action === action).length,
  );
  const summary = `${counts[0]} to add, ${counts[1]} to change, ${counts[2]} to remove.`;
  return [...plan.changes.flatMap(formatChange), '', summary].join('\n');
}

function formatChange(change: PlannedChange): string[] {
  const others = [...(change.kind === 'feature service' ? [] : change.services), ...shownDatasets(change.datasets ?? [])];
  const touches = others.length === 0 ? '' : `, touches ${others.join(', ')}`;
  const head = `${marks[change.action]} ${change.kind} ${change.name}  (${change.file}${touches})`;
  const note = change.note === undefined ? [] : [`    ! ${change.note}`];
  return [head, ...(change.action === 'change' ? change.fields.map(formatField) : []), ...note];
}

/** The first few: of a name that is made every day there are many. */
function shownDatasets(datasets: readonly string[]): string[] {
  const shown = datasets.slice(-3).map((name) => `dataset ${name}`);
  return datasets.length > shown.length ? [...shown, `${datasets.length - shown.length} more`] : shown;
}

function formatField({ path, before, after }: FieldChange): string {
  if (before === undefined) return `    + ${path}: ${formatValue(after)}`;
  if (after === undefined) return `    - ${path}: ${formatValue(before)}`;
  return `    ~ ${path}: ${formatValue(before)} -> ${formatValue(after)}`;
}

function formatValue(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
