/** Datasets that are made of a source, a view or a service. */
import type { Catalogue } from '../api/catalogue.ts';
import { DatasetTable } from './dataset-table.tsx';
import { datasetsOf } from './links.ts';
import { Empty } from './told.tsx';

/** `id` is that of the lineage, such as `views/user_profile`. */
export function MadeDatasets({ catalogue, id }: { readonly catalogue: Catalogue; readonly id: string }) {
  if (catalogue.datasetsUnread !== null) {
    return <Empty title={`Which datasets are made of it cannot be told: ${catalogue.datasetsUnread}`} />;
  }
  const datasets = datasetsOf(catalogue, id);
  if (datasets.length === 0) {
    return (
      <Empty title="No newest version of a dataset is made of it">
        <p>
          <code>featherflight dataset create</code> saves a training set under a name.
        </p>
      </Empty>
    );
  }
  return <DatasetTable label="Datasets made of it" rows={datasets} areNewest />;
}
