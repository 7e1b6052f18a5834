/** What a dataset was made of: features, frame, options, sources. */
import type { Recipe } from '../api/datasets.ts';
import { CopyButton } from '../parts/copy.tsx';
import { describeSplit } from '../parts/dataset-text.ts';
import { Facts } from '../parts/facts.tsx';
import { formatBytes, formatInstant, formatNumber } from '../parts/format.ts';
import { href } from '../parts/route.ts';
import { Table } from '../parts/table.tsx';

export function DatasetRecipe({ recipe }: { readonly recipe: Recipe }) {
  const { service, frame, definitions } = recipe;
  const renamed = Object.entries(recipe.keys).flatMap(([view, keys]) =>
    Object.entries(keys).map(([key, column]) => `${view}: ${key} is ${column}`),
  );
  return (
    <>
      <Facts
        facts={{
          Service: service === null ? null : <a href={href('services', service)}>{service}</a>,
          'Version of the definitions': formatNumber(definitions.registry_version),
          Frame: (
            <>
              {`${formatNumber(frame.rows)} rows, ${frame.origin_path ?? 'uploaded'}, ${formatBytes(frame.bytes)}`}
              <div className="note">
                {'hash '}
                <code>{frame.hash.slice(0, 12)}…</code> <CopyButton text={frame.hash} what="the hash of the frame" />
              </div>
            </>
          ),
          'As of': recipe.at === null ? `each row’s ${recipe.timestamp}` : `${formatInstant(recipe.at)}, for all rows`,
          'Time zone of the frame': recipe.timezone,
          'As known at the time': recipe.as_known === null ? 'as each view says' : recipe.as_known ? 'yes' : 'no',
          Split: describeSplit(recipe.split),
          Labels: recipe.labels.join(', ') || 'none',
          'Renamed keys': renamed.join(', '),
          'Names of features': recipe.full_feature_names ? 'view and feature' : 'feature alone',
          'Columns of statuses': recipe.statuses ? 'yes' : 'no',
          'Made by': recipe.versions,
        }}
      />
      <h3>Features</h3>
      <Table
        label="Features by view"
        rows={viewsOf(recipe)}
        keyOf={([view]) => view}
        columns={[
          { title: 'view', cell: ([view]) => <a href={href('views', view)}>{view}</a> },
          { title: 'features', cell: ([, features]) => <FeatureLinks features={features} /> },
        ]}
      />
      <h3>Sources as they were read</h3>
      <Table
        label="Sources"
        rows={recipe.sources}
        keyOf={({ source }) => source}
        columns={[
          { title: 'source', cell: ({ source }) => <a href={href('sources', source)}>{source}</a> },
          { title: 'files', isNumber: true, cell: ({ files, archived }) => formatNumber(files.length + archived.length) },
          {
            title: 'size',
            isNumber: true,
            cell: ({ files, archived }) => formatBytes([...files, ...archived].reduce((sum, { bytes }) => sum + bytes, 0)),
          },
          { title: 'erased entities', cell: ({ erased }) => (erased === null ? 'none' : 'left out') },
        ]}
      />
    </>
  );
}

type Feature = Recipe['definitions']['features'][number];

function viewsOf({ definitions }: Recipe): readonly (readonly [view: string, features: readonly Feature[]])[] {
  const views = [...new Set(definitions.features.map(({ view }) => view))];
  return views.map((view) => [view, definitions.features.filter((feature) => feature.view === view)]);
}

function FeatureLinks({ features }: { readonly features: readonly Feature[] }) {
  // One that is joined twice under two prefixes is one feature.
  const names = [...new Set(features.map(({ feature }) => feature))];
  const view = features[0]?.view ?? '';
  return (
    <span>
      {names.map((feature, at) => (
        <span key={feature}>
          {at > 0 && ', '}
          <a href={`${href('views', view)}?feature=${encodeURIComponent(feature)}`}>{feature}</a>
        </span>
      ))}
    </span>
  );
}
