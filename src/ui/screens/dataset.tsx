/** A dataset: its versions, the newest first, and what leads to them. */
import { type Catalogue, readCatalogue } from '../api/catalogue.ts';
import { type DatasetRow, readDataset, readDatasetRows } from '../api/datasets.ts';
import { useAnswer } from '../api/use-answer.ts';
import { TimeChart } from '../parts/chart.tsx';
import { Code } from '../parts/code.tsx';
import { CompareForm } from '../parts/compare-form.tsx';
import { writeDatasetSamples } from '../parts/dataset-samples.ts';
import { DatasetLink, DatasetTable } from '../parts/dataset-table.tsx';
import { DatasetTold } from '../parts/dataset-told.tsx';
import { Facts } from '../parts/facts.tsx';
import { counted, formatAge } from '../parts/format.ts';
import { Lineage } from '../parts/lineage.tsx';
import { href } from '../parts/route.ts';

export function Dataset({ name }: { readonly name: string }) {
  const answer = useAnswer(`dataset ${name}`, async (signal) => {
    const [versions, catalogue] = await Promise.all([readDatasetRows(name, signal), readCatalogue(signal)]);
    // What is not there, or not to be seen, is told by who is asked for it.
    if (versions.length === 0) await readDataset(name, signal);
    return { versions, catalogue };
  });
  return (
    <>
      <p className="over">
        <a href={href('datasets')}>Datasets</a>
      </p>
      <DatasetTold title={name} answer={answer}>
        {({ versions, catalogue }) => <Whole name={name} versions={versions} catalogue={catalogue} />}
      </DatasetTold>
    </>
  );
}

interface WholeProps {
  readonly name: string;
  /** The oldest first. */
  readonly versions: readonly DatasetRow[];
  readonly catalogue: Catalogue;
}

function Whole({ name, versions, catalogue }: WholeProps) {
  const newest = versions.at(-1);
  if (newest === undefined) return null;
  const [first] = Object.keys(newest.splits);
  const splits = [...new Set(versions.flatMap((version) => Object.keys(version.splits)))];
  return (
    <>
      <h1>{name}</h1>
      {newest.description !== null && <p className="lead">{newest.description}</p>}
      <Facts
        facts={{
          'Newest version': <DatasetLink name={newest.name} />,
          Damaged: newest.damaged,
          Saved: newest.created_at === null ? null : formatAge(newest.created_at),
          By: newest.created_by,
          Rows: newest.rows === null ? null : counted(newest.rows, 'row'),
          Features: counted(newest.features.length, 'feature'),
          Labels: newest.labels.join(', '),
          Models: newest.models.join(', '),
        }}
      />
      <h2>Versions</h2>
      <DatasetTable label="Versions" rows={versions.toReversed()} />
      <CompareForm versions={versions.map((version) => version.name)} />
      {versions.length > 2 && (
        <TimeChart
          label="Rows by version"
          points={versions.flatMap(({ created_at: at, splits: values }) => (at === null ? [] : [{ at, values }]))}
          series={splits}
        />
      )}
      <h2>Lineage of the newest</h2>
      <Lineage catalogue={{ ...catalogue, datasets: [newest] }} id={`datasets/${newest.name}`} />
      <h2>Code</h2>
      <Code samples={writeDatasetSamples(name, Object.keys(newest.splits).length > 1 ? first : undefined)} />
    </>
  );
}
