/** A source: where rows or events come from, and their columns. */

import { CallError } from '../api/call.ts';
import { type Catalogue, readCatalogue, type SourceRow } from '../api/catalogue.ts';
import { useAnswer } from '../api/use-answer.ts';
import { Facts, TagList } from '../parts/facts.tsx';
import { formatInstant } from '../parts/format.ts';
import { Lineage } from '../parts/lineage.tsx';
import { MadeDatasets } from '../parts/made-datasets.tsx';
import { href } from '../parts/route.ts';
import { Block } from '../parts/scroll.tsx';
import { Table } from '../parts/table.tsx';
import { Failure, Told } from '../parts/told.tsx';

export function Source({ name }: { readonly name: string }) {
  const answer = useAnswer('catalogue', readCatalogue);
  return (
    <Told answer={answer}>
      {(catalogue) => {
        const source = catalogue.sources.find((row) => row.name === name);
        if (source === undefined) return <Failure error={new CallError('NOT_FOUND', `no source is named "${name}"`)} />;
        return <Whole source={source} catalogue={catalogue} />;
      }}
    </Told>
  );
}

function Whole({ source, catalogue }: { readonly source: SourceRow; readonly catalogue: Catalogue }) {
  return (
    <>
      <p className="over">{source.kind} source</p>
      <h1>{source.name}</h1>
      {source.description !== null && <p className="lead">{source.description}</p>}
      <TagList tags={source.tags} />
      <Facts
        facts={{
          Owner: source.owner ?? 'none is named',
          Format: source.format,
          'Read from': source.paths.join(', '),
          Stream: source.kind === 'event' ? <a href={href('streams', source.name)}>{source.stream ?? 'pushed events'}</a> : null,
          'Event timestamp': source.event_timestamp,
          'Created timestamp': source.created_timestamp,
          'Available at': source.available_at,
          'Time zone': source.timezone,
          Lateness: source.lateness,
          Runs: source.every === undefined ? null : `every ${source.every}, ${source.offset} later`,
          'Last run': source.every === undefined ? null : formatInstant(source.last_tick),
          'Runs that are missing': source.missing_ticks === undefined ? null : String(source.missing_ticks),
        }}
      />
      {source.sql !== undefined && (
        <>
          <h2>Statement</h2>
          <Block label="Statement" text={source.sql} />
        </>
      )}
      <h2>Columns</h2>
      <Table
        label="Columns"
        rows={Object.entries(source.columns)}
        keyOf={([name]) => name}
        columns={[
          { title: 'name', cell: ([name]) => name },
          { title: 'type', cell: ([, type]) => <code>{type}</code> },
        ]}
      />
      <h2>Datasets made of it</h2>
      <MadeDatasets catalogue={catalogue} id={`sources/${source.name}`} />
      <h2>Lineage</h2>
      <Lineage catalogue={catalogue} id={`sources/${source.name}`} />
    </>
  );
}
