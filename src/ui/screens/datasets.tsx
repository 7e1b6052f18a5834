/** All saved datasets by their newest versions, filtered by words. */
import { type DatasetRow, readDatasetRows } from '../api/datasets.ts';
import { useAnswer } from '../api/use-answer.ts';
import { Code } from '../parts/code.tsx';
import { DatasetTable } from '../parts/dataset-table.tsx';
import { counted } from '../parts/format.ts';
import { replaceQuery, useRoute } from '../parts/route.ts';
import { Empty, Told } from '../parts/told.tsx';

export function Datasets() {
  const answer = useAnswer('datasets', (signal) => readDatasetRows(undefined, signal));
  return (
    <>
      <div className="title">
        <h1>Datasets</h1>
        <button type="button" className="quiet" onClick={answer.reload}>
          Read again
        </button>
      </div>
      <Told answer={answer}>{(rows) => (rows.length === 0 ? <None /> : <List rows={rows} />)}</Told>
    </>
  );
}

function List({ rows }: { readonly rows: readonly DatasetRow[] }) {
  const q = useRoute().query.get('q') ?? '';
  const found = findDatasets(rows, q);
  return (
    <>
      <div className="row">
        <label>
          Search datasets
          <input
            type="search"
            value={q}
            placeholder="name, label, view, model, …"
            onChange={(event) => replaceQuery({ q: event.target.value })}
          />
        </label>
      </div>
      <p className="note" role="status">
        {q === '' ? counted(rows.length, 'dataset') : `${found.length} of ${counted(rows.length, 'dataset')}`}
      </p>
      {found.length === 0 ? (
        <Empty title={`No dataset has “${q}” in its name, description, labels, features, views, service or models`}>
          <button type="button" className="quiet" onClick={() => replaceQuery({ q: '' })}>
            Show all
          </button>
        </Empty>
      ) : (
        <DatasetTable label="Datasets" rows={found} areNewest />
      )}
    </>
  );
}

/** Those that have every word somewhere. */
function findDatasets(rows: readonly DatasetRow[], words: string): readonly DatasetRow[] {
  const wanted = words.toLowerCase().split(/\s+/).filter(Boolean);
  return rows.filter(({ name, description, created_by: by, service, views, labels, models, features }) => {
    const text = [name, description, by, service, ...Object.keys(views), ...labels, ...models, ...features]
      .join(' ')
      .toLowerCase();
    return wanted.every((word) => text.includes(word));
  });
}

const samples = {
  Python: `import featherflight as ff

store = ff.connect()
dataset = store.create_dataset("ranker", entity_df, "ranker_v1", labels=["clicked"])
`,
  'Command line': 'featherflight dataset create ranker --entities clicks.parquet --service ranker_v1 --label clicked\n',
};

function None() {
  return (
    <>
      <Empty title="No dataset is saved yet, or none that your token may see">
        <p>A dataset is a training set that is saved under a name, with all that says what it was made of:</p>
      </Empty>
      <Code samples={samples} />
    </>
  );
}
