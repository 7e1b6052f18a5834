/** One version of a dataset: what it is, what it was made of, what its columns hold, what came of it. */
import { type Catalogue, readCatalogue } from '../api/catalogue.ts';
import { type Dataset, type DatasetRow, readDataset, readDatasetRows, splitDataset } from '../api/datasets.ts';
import { useAnswer } from '../api/use-answer.ts';
import { ShareBar } from '../parts/bar.tsx';
import { Code } from '../parts/code.tsx';
import { CompareForm } from '../parts/compare-form.tsx';
import { CopyButton } from '../parts/copy.tsx';
import { writeDatasetSamples } from '../parts/dataset-samples.ts';
import { DatasetLink } from '../parts/dataset-table.tsx';
import { sizeOf } from '../parts/dataset-text.ts';
import { DatasetTold } from '../parts/dataset-told.tsx';
import { Facts } from '../parts/facts.tsx';
import { counted, formatAge, formatBytes, formatInstant, formatNumber, formatShare, words } from '../parts/format.ts';
import { Lineage } from '../parts/lineage.tsx';
import { href } from '../parts/route.ts';
import { Table } from '../parts/table.tsx';
import { Empty } from '../parts/told.tsx';
import { DatasetColumns } from './dataset-columns.tsx';
import { DatasetGates } from './dataset-gates.tsx';
import { DatasetRecipe } from './dataset-recipe.tsx';

export function DatasetVersion({ reference }: { readonly reference: string }) {
  const { name } = splitDataset(reference);
  const answer = useAnswer(`dataset ${reference}`, async (signal) => {
    const [dataset, versions, catalogue] = await Promise.all([
      readDataset(reference, signal),
      readDatasetRows(name, signal),
      readCatalogue(signal),
    ]);
    return { dataset, versions, catalogue };
  });
  return (
    <>
      <p className="over">
        <a href={href('datasets')}>Datasets</a> / <a href={href('datasets', name)}>{name}</a>
      </p>
      <DatasetTold title={reference} answer={answer}>
        {(known) => <Whole reference={reference} reload={answer.reload} {...known} />}
      </DatasetTold>
    </>
  );
}

interface WholeProps {
  readonly reference: string;
  readonly dataset: Dataset;
  /** The oldest first. */
  readonly versions: readonly DatasetRow[];
  readonly catalogue: Catalogue;
  reload(): void;
}

function Whole({ reference, dataset, versions, catalogue, reload }: WholeProps) {
  const newest = versions.at(-1)?.name ?? reference;
  const at = versions.findIndex(({ name }) => name === reference);
  const { splits, gates } = dataset;
  const broken = gates.filter(({ ok }) => !ok).map(({ column, expectation }) => `${column}: ${words(expectation)}`);
  return (
    <>
      <div className="title">
        <div className="title begins flush">
          <h1>{reference}</h1>
          {reference === newest ? (
            <span className="badge good">newest version</span>
          ) : (
            <span className="badge warn">older version</span>
          )}
        </div>
        <button type="button" className="quiet" onClick={reload}>
          Read again
        </button>
      </div>
      {reference !== newest && (
        <p>
          The newest is <DatasetLink name={newest} />.
        </p>
      )}
      {dataset.description !== null && <p className="lead">{dataset.description}</p>}
      {!dataset.reproducible && (
        <p className="banner" role="note">
          <strong>It cannot be computed again.</strong> {dataset.why_not}
        </p>
      )}
      {broken.length > 0 && (
        <p className="banner" role="note">
          <strong>{`${counted(broken.length, 'expectation')} broken.`}</strong> {broken.join(', ')}
        </p>
      )}
      <DatasetFacts dataset={dataset} />
      <h2>Splits</h2>
      {splits.length > 1 && (
        <ShareBar
          label="Rows by split"
          shares={splits.map(({ name, rows }, place) => ({ name, count: rows, colour: 1 + (place % 8) }))}
        />
      )}
      <Table
        label="Splits"
        rows={splits}
        keyOf={({ name }) => name}
        columns={[
          { title: 'split', cell: ({ name }) => name },
          { title: 'rows', isNumber: true, cell: ({ rows }) => formatNumber(rows) },
          { title: 'share', isNumber: true, cell: ({ rows }) => (dataset.rows === 0 ? '–' : formatShare(rows / dataset.rows)) },
          { title: 'Parquet files', isNumber: true, cell: ({ files }) => formatNumber(files.length) },
          {
            title: 'size of these',
            isNumber: true,
            cell: ({ files }) => formatBytes(files.reduce((sum, { bytes }) => sum + bytes, 0)),
          },
        ]}
      />
      <h2>Recipe</h2>
      <DatasetRecipe recipe={dataset.recipe} />
      <h2>Columns</h2>
      <DatasetColumns dataset={dataset} />
      <h2>Expectations</h2>
      <DatasetGates gates={gates} />
      <h2>Models</h2>
      <Models dataset={dataset} reference={reference} />
      <h2>Lineage</h2>
      <Lineage catalogue={{ ...catalogue, datasets: versions.slice(at, at + 1) }} id={`datasets/${reference}`} />
      {versions.length > 1 && <h2>Compare</h2>}
      <CompareForm versions={versions.map(({ name }) => name)} from={versions[at === 0 ? 1 : at - 1]?.name} to={reference} />
      <h2>Code</h2>
      <Code samples={writeDatasetSamples(reference, splits.length > 1 ? splits[0]?.name : undefined)} />
    </>
  );
}

function DatasetFacts({ dataset }: { readonly dataset: Dataset }) {
  const { rows, blocks, others } = sizeOf(dataset);
  const { streams, processes } = dataset.readers;
  const readers = [
    ...(streams > 0 ? [`${counted(streams, 'stream')} of this server`] : []),
    ...(processes > 0 ? [`${formatNumber(processes)} other ${processes === 1 ? 'process' : 'processes'}`] : []),
  ];
  return (
    <>
      <div className="identity">
        <span className="note">Identity</span> <code>{dataset.id}</code>
        <CopyButton text={dataset.id} what="the identity" />
      </div>
      <Facts
        facts={{
          Rows: formatNumber(dataset.rows),
          Columns: formatNumber(dataset.columns.length),
          Saved: (
            <>
              {formatAge(dataset.created_at)}
              <div className="note">{formatInstant(dataset.created_at)}</div>
            </>
          ),
          By: dataset.created_by,
          'Size on disk': (
            <>
              {formatBytes(rows + blocks + others)}
              <div className="note">{`rows ${formatBytes(rows)}, once more for training ${formatBytes(blocks)}, frame and vocabularies ${formatBytes(others)}`}</div>
            </>
          ),
          'Read now by': readers.join(', ') || 'nobody',
          'Can be computed again': dataset.reproducible ? 'yes' : 'no',
        }}
      />
    </>
  );
}

function Models({ dataset: { tags }, reference }: { readonly dataset: Dataset; readonly reference: string }) {
  if (tags.length === 0) {
    return (
      <Empty title="No model is tagged with it">
        <p>
          <code>{`featherflight dataset tag ${reference} MODEL@VERSION`}</code> says that a model was trained on it.
        </p>
      </Empty>
    );
  }
  return (
    <Table
      label="Models"
      rows={tags}
      keyOf={({ model, version }) => `${model}@${version}`}
      columns={[
        { title: 'model', cell: ({ model }) => model },
        { title: 'version', cell: ({ version }) => version ?? '' },
        { title: 'tagged', cell: ({ at }) => <span title={formatInstant(at)}>{formatAge(at)}</span> },
        ...(tags.some(({ by }) => by !== null) ? [{ title: 'by', cell: ({ by }: (typeof tags)[number]) => by ?? '' }] : []),
      ]}
    />
  );
}
