/** Two versions of a dataset side by side: what differs in their recipes, columns, statistics and sources. */
import {
  type Dataset,
  type DatasetRow,
  type DatasetDiff as Found,
  readDataset,
  readDatasetDiff,
  readDatasetRows,
  splitDataset,
} from '../api/datasets.ts';
import { useAnswer } from '../api/use-answer.ts';
import { Changes, type Compared } from '../parts/changes.tsx';
import { Code } from '../parts/code.tsx';
import { CompareForm } from '../parts/compare-form.tsx';
import { writeDiffSamples } from '../parts/dataset-samples.ts';
import { DatasetLink } from '../parts/dataset-table.tsx';
import { DatasetTold } from '../parts/dataset-told.tsx';
import { Badge } from '../parts/facts.tsx';
import { formatInstant } from '../parts/format.ts';
import { href } from '../parts/route.ts';
import { Table } from '../parts/table.tsx';
import { DiffColumns } from './dataset-diff-columns.tsx';
import { DiffStatistics } from './dataset-diff-statistics.tsx';

export function DatasetDiff({ from, to }: { readonly from: string; readonly to: string }) {
  const answer = useAnswer(`diff ${from} ${to}`, async (signal) => {
    const versionsOf = (name: string) => readDatasetRows(name, signal);
    const names = [...new Set([from, to].map((reference) => splitDataset(reference).name))];
    const [one, other, diff, ...versions] = await Promise.all([
      readDataset(from, signal),
      readDataset(to, signal),
      readDatasetDiff(from, to, signal),
      ...names.map(versionsOf),
    ]);
    // Both may be one.
    const titles = [nameOf(one), from === to ? `${nameOf(other)} again` : nameOf(other)] as const;
    return { compared: { from: one, to: other, diff, titles }, versions: versions.flat() };
  });
  return (
    <>
      <p className="over">
        <a href={href('datasets')}>Datasets</a> / <DatasetLink name={splitDataset(from).name} />
      </p>
      <DatasetTold title={`${from} and ${to}`} answer={answer}>
        {(known) => <Whole {...known} />}
      </DatasetTold>
    </>
  );
}

interface WholeProps {
  readonly compared: Compared;
  readonly versions: readonly DatasetRow[];
}

function Whole({ compared, versions }: WholeProps) {
  const { from, to, diff, titles } = compared;
  const [one, other] = [nameOf(from), nameOf(to)];
  return (
    <>
      <h1>{`${one} and ${other}`}</h1>
      <p className="lead" role="status">
        {verdict(compared)}
      </p>
      <CompareForm versions={versions.map(({ name }) => name)} from={one} to={other} />
      <p>
        <a href={href('datasets', other, 'diff', one)}>The other way round</a>
      </p>
      <h2>Both</h2>
      <Changes
        label="Both versions"
        titles={titles}
        changes={[
          { what: 'rows', from: from.rows, to: to.rows },
          ...diff.splits.map((change) => ({ ...change, what: `rows of ${change.what}` })),
          { what: 'identity', from: from.id, to: to.id },
          { what: 'saved', from: formatInstant(from.created_at), to: formatInstant(to.created_at) },
          ...(from.created_by === null && to.created_by === null
            ? []
            : [{ what: 'saved by', from: from.created_by, to: to.created_by }]),
        ]}
      />
      <h2>Recipe</h2>
      {diff.recipe.length === 0 ? (
        <p>The same: features, frame, options and definitions.</p>
      ) : (
        <Changes label="Recipe" titles={titles} changes={diff.recipe} />
      )}
      <h2>Columns</h2>
      <DiffColumns compared={compared} />
      <h2>Statistics</h2>
      <DiffStatistics compared={compared} />
      <h2>Sources</h2>
      <Sources diff={diff} />
      <h2>Code</h2>
      <Code samples={writeDiffSamples(one, other)} />
    </>
  );
}

function nameOf({ name, version }: Dataset): string {
  return `${name}@${version}`;
}

function verdict({ from, to, diff }: Compared): string {
  if (diff.same) return 'They are the same: one identity, the same rows to the last bit.';
  const names = (dataset: Dataset) => dataset.columns.map(({ name, type, role }) => `${name} ${type} ${role}`).join('\n');
  const where = [
    ...(diff.recipe.length > 0 ? ['recipe'] : []),
    ...(names(from) === names(to) ? [] : ['columns']),
    ...(from.rows !== to.rows || diff.splits.length > 0 ? ['rows'] : []),
    ...(diff.statistics.length > 0 ? ['statistics'] : []),
    ...(diff.sources.length > 0 ? ['sources'] : []),
  ];
  return where.length === 0 ? 'They differ in their identity alone.' : `They differ in: ${where.join(', ')}.`;
}

function Sources({ diff: { sources } }: { readonly diff: Found }) {
  if (sources.length === 0) return <p>The same: every file of every source is as it was.</p>;
  const rows = sources.flatMap(({ source, added, removed, changed, erased }) => [
    ...added.map((file) => ({ source, file, word: 'added' })),
    ...removed.map((file) => ({ source, file, word: 'removed' })),
    ...changed.map((file) => ({ source, file, word: 'changed' })),
    ...(erased ? [{ source, file: 'which entities are erased', word: 'changed' }] : []),
  ]);
  return (
    <Table
      label="Sources"
      rows={rows}
      keyOf={({ source, file, word }) => `${source} ${file} ${word}`}
      columns={[
        { title: 'source', cell: ({ source }) => <a href={href('sources', source)}>{source}</a> },
        { title: 'change', cell: ({ word }) => <Badge text={word} /> },
        { title: 'file', cell: ({ file }) => file },
      ]}
    />
  );
}
