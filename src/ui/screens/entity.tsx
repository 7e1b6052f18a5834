/** An entity: its keys, and the views that know something of it. */

import { CallError } from '../api/call.ts';
import { readCatalogue } from '../api/catalogue.ts';
import { useAnswer } from '../api/use-answer.ts';
import { Facts, TagList } from '../parts/facts.tsx';
import { formatAge } from '../parts/format.ts';
import { href } from '../parts/route.ts';
import { Table } from '../parts/table.tsx';
import { Failure, Told } from '../parts/told.tsx';

export function Entity({ name }: { readonly name: string }) {
  const answer = useAnswer('catalogue', readCatalogue);
  return (
    <Told answer={answer}>
      {({ entities, views }) => {
        const entity = entities.find((row) => row.name === name);
        if (entity === undefined) return <Failure error={new CallError('NOT_FOUND', `no entity is named "${name}"`)} />;
        return (
          <>
            <p className="over">entity</p>
            <h1>{entity.name}</h1>
            {entity.description !== null && <p className="lead">{entity.description}</p>}
            <TagList tags={entity.tags} />
            <Facts
              facts={{
                Owner: entity.owner ?? 'none is named',
                'Join keys': Object.entries(entity.join_keys)
                  .map(([key, type]) => `${key} (${type})`)
                  .join(', '),
              }}
            />
            <h2>Views</h2>
            <Table
              label="Views"
              rows={views.filter((view) => view.entities.includes(name))}
              keyOf={(view) => view.name}
              columns={[
                { title: 'view', cell: (view) => <a href={href('views', view.name)}>{view.name}</a> },
                { title: 'kind', cell: (view) => view.kind.replace('_', '-') },
                { title: 'features', isNumber: true, cell: (view) => view.features.length },
                { title: 'newest event', cell: (view) => (view.kind === 'on_demand' ? '' : formatAge(view.newest_event)) },
              ]}
            />
          </>
        );
      }}
    </Told>
  );
}
