/** Code that reads a dataset, ready to paste. */

/** `split`: one of its splits, undefined where it has but one. */
export function writeDatasetSamples(reference: string, split: string | undefined): Readonly<Record<string, string>> {
  const named = JSON.stringify(reference);
  const part = split === undefined ? '' : `split=${JSON.stringify(split)}`;
  return {
    Python: `import featherflight as ff

store = ff.connect()
dataset = store.dataset(${named})

frame = dataset.to_pandas(${part})   # also to_polars, to_arrow, to_batches, to_parquet
print(dataset.statistics)
`,
    PyTorch: `import featherflight as ff

store = ff.connect()
batches = store.dataset(${named}).torch(batch_size=4096, ${part === '' ? '' : `${part}, `}shuffle=True, seed=7)

for batch in batches.loader(num_workers=2):
    features = batch["features"]   # one row of all numeric features for each row of the dataset
    state = batches.state_dict(after=batch)   # goes on from here, for any number of ranks and workers
`,
    Node: `import { FeatherflightClient } from 'featherflight/client';

const client = new FeatherflightClient({ url: '${location.origin}' });
const { rows, batches } = await client.getDataset({ dataset: '${reference}'${split === undefined ? '' : `, split: '${split}'`} });
for await (const { batch } of batches()) console.log(batch.length, 'of', rows);
await client.close();
`,
    'Command line': `featherflight dataset describe ${reference}
featherflight dataset export ${reference} --out rows.parquet${split === undefined ? '' : ` --split ${split}`}
featherflight dataset reproduce ${reference}
featherflight dataset tag ${reference} MODEL@VERSION
`,
  };
}

export function writeDiffSamples(from: string, to: string): Readonly<Record<string, string>> {
  return {
    Python: `import featherflight as ff

store = ff.connect()
print(store.dataset(${JSON.stringify(from)}).diff(${JSON.stringify(to)}))
`,
    'Command line': `featherflight dataset diff ${from} ${to}\n`,
  };
}
