/** A feature view: what it has, where it comes from, how fresh it is, what was served of it and who uses it. */

import { CallError } from '../api/call.ts';
import { type Catalogue, type FeatureRow, readCatalogue, type ViewRow } from '../api/catalogue.ts';
import { useAnswer } from '../api/use-answer.ts';
import { Code } from '../parts/code.tsx';
import { DeprecatedBadge, DeprecatedNote } from '../parts/deprecated.tsx';
import { Badge, Facts, TagList } from '../parts/facts.tsx';
import { formatAge, formatInstant, formatSeconds, formatValue } from '../parts/format.ts';
import { Lineage } from '../parts/lineage.tsx';
import { MadeDatasets } from '../parts/made-datasets.tsx';
import { Readers } from '../parts/readers.tsx';
import { href, useRoute } from '../parts/route.ts';
import { writeSamples } from '../parts/samples.ts';
import { Table } from '../parts/table.tsx';
import { Failure, Told } from '../parts/told.tsx';
import { ViewAlarms } from './view-alarms.tsx';
import { ViewHistory } from './view-history.tsx';
import { ViewServed } from './view-served.tsx';

export function View({ name }: { readonly name: string }) {
  const answer = useAnswer('catalogue', readCatalogue);
  return (
    <Told answer={answer}>
      {(catalogue) => {
        const view = catalogue.views.find((row) => row.name === name);
        if (view === undefined) return <Failure error={new CallError('NOT_FOUND', `no view is named "${name}"`)} />;
        return <Whole view={view} catalogue={catalogue} />;
      }}
    </Told>
  );
}

function Whole({ view, catalogue }: { readonly view: ViewRow; readonly catalogue: Catalogue }) {
  const features = catalogue.features.filter((row) => row.view === view.name);
  return (
    <>
      <p className="over">{view.kind.replace('_', '-')} view</p>
      <div className="title begins">
        <h1>{view.name}</h1>
        {view.freshness_state != null && <Badge text={view.freshness_state} />}
        <DeprecatedBadge deprecated={view.deprecated} />
      </div>
      <DeprecatedNote deprecated={view.deprecated} />
      {view.description !== null && <p className="lead">{view.description}</p>}
      <TagList tags={view.tags} />
      <Facts facts={factsOf(view)} />
      <p className="buttons">
        <a className="button" href={`${href('playground')}?view=${encodeURIComponent(view.name)}`}>
          Try it in the playground
        </a>
      </p>
      <ViewAlarms view={view.name} />
      <h2>Schema</h2>
      <Schema view={view} features={features} />
      <h2>Served</h2>
      <ViewServed view={view.name} />
      <h2>Checked over time</h2>
      <ViewHistory view={view.name} />
      <h2>Read by</h2>
      <Readers readers={view.readers} />
      <h2>Datasets made of it</h2>
      <MadeDatasets catalogue={catalogue} id={`views/${view.name}`} />
      <h2>Lineage</h2>
      <Lineage catalogue={catalogue} id={`views/${view.name}`} />
      <h2>Code</h2>
      <Code
        samples={writeSamples({
          features: view.features.map((feature) => `${view.name}:${feature}`),
          keys: view.join_keys,
          request: view.request ?? {},
        })}
      />
    </>
  );
}

function factsOf(view: ViewRow) {
  const isComputed = view.kind === 'on_demand';
  return {
    Owner: view.owner ?? 'none is named',
    Source: view.source === null ? null : <a href={href('sources', view.source)}>{view.source}</a>,
    Entities: view.entities.length === 0 ? 'none' : <Links part="entities" names={view.entities} />,
    'Newest event of its source': isComputed ? null : <Newest at={view.newest_event} />,
    'Freshness objective': isComputed ? null : (view.freshness ?? 'none'),
    'Newest event served': view.event_age_seconds == null ? null : `${formatSeconds(view.event_age_seconds)} old`,
    'Brought up to date': view.processing_age_seconds == null ? null : `${formatSeconds(view.processing_age_seconds)} ago`,
    'Values expire after': isComputed ? null : (view.ttl ?? (view.kind === 'stream' ? null : 'never')),
    Delay: view.delay,
    'As known at the time': view.as_known === null ? null : view.as_known ? 'yes' : 'no',
  };
}

function Newest({ at }: { readonly at: string | null }) {
  return (
    <>
      {formatAge(at)}
      {at !== null && <div className="note">{formatInstant(at)}</div>}
    </>
  );
}

export function Links({ part, names }: { readonly part: string; readonly names: readonly string[] }) {
  return names.map((name, at) => (
    <span key={name}>
      {at > 0 && ', '}
      <a href={href(part, name)}>{name}</a>
    </span>
  ));
}

interface SchemaRow {
  readonly name: string;
  readonly role: string;
  readonly type: string;
  readonly feature?: FeatureRow;
}

function Schema({ view, features }: { readonly view: ViewRow; readonly features: readonly FeatureRow[] }) {
  const { query } = useRoute();
  const looked = query.get('feature');
  const rows: SchemaRow[] = [
    ...Object.entries(view.join_keys).map(([name, type]) => ({ name, type, role: 'join key' })),
    ...Object.entries(view.request ?? {}).map(([name, type]) => ({ name, type, role: 'of the request' })),
    ...features.map((feature) => ({ name: feature.feature, type: feature.type, role: 'feature', feature })),
  ];
  const defaultOf = ({ feature }: SchemaRow) =>
    feature === undefined || feature.default === null ? '' : formatValue(feature.default);
  const describe = ({ feature }: SchemaRow) => feature?.description ?? '';
  return (
    <Table
      label="Schema"
      rows={rows}
      keyOf={(row) => `${row.role} ${row.name}`}
      columns={[
        {
          title: 'name',
          cell: ({ name, role, feature }) => (
            <>
              {role === 'feature' && name === looked ? <mark>{name}</mark> : name}{' '}
              <DeprecatedBadge deprecated={feature?.deprecated} />
            </>
          ),
        },
        { title: 'type', cell: ({ type }) => <code>{type}</code> },
        { title: 'role', cell: ({ role }) => role },
        ...(features.some(({ last_read: at }) => at !== null)
          ? [
              {
                title: 'last read',
                cell: ({ feature }: SchemaRow) => (feature?.last_read == null ? '' : formatAge(feature.last_read)),
              },
            ]
          : []),
        ...(rows.some((row) => defaultOf(row) !== '') ? [{ title: 'default', cell: defaultOf }] : []),
        ...(rows.some((row) => describe(row) !== '') ? [{ title: 'description', cell: describe }] : []),
      ]}
    />
  );
}
