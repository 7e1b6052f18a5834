/** A feature service: the features that a model asks for under one name. */

import { CallError } from '../api/call.ts';
import { type Catalogue, readCatalogue, type ServiceRow, splitReference } from '../api/catalogue.ts';
import { useAnswer } from '../api/use-answer.ts';
import { askedOf } from '../parts/asked.ts';
import { Code } from '../parts/code.tsx';
import { DeprecatedBadge, DeprecatedNote } from '../parts/deprecated.tsx';
import { Facts, TagList } from '../parts/facts.tsx';
import { Lineage } from '../parts/lineage.tsx';
import { MadeDatasets } from '../parts/made-datasets.tsx';
import { Readers } from '../parts/readers.tsx';
import { href } from '../parts/route.ts';
import { writeSamples } from '../parts/samples.ts';
import { Table } from '../parts/table.tsx';
import { Failure, Told } from '../parts/told.tsx';

export function Service({ name }: { readonly name: string }) {
  const answer = useAnswer('catalogue', readCatalogue);
  return (
    <Told answer={answer}>
      {(catalogue) => {
        const service = catalogue.services.find((row) => row.name === name);
        if (service === undefined) return <Failure error={new CallError('NOT_FOUND', `no service is named "${name}"`)} />;
        return <Whole service={service} catalogue={catalogue} />;
      }}
    </Told>
  );
}

function Whole({ service, catalogue }: { readonly service: ServiceRow; readonly catalogue: Catalogue }) {
  const asked = askedOf(catalogue, { service: service.name });
  const rowOf = (reference: string) => {
    const { view, feature } = splitReference(reference);
    return catalogue.features.find((row) => row.view === view && row.feature === feature);
  };
  return (
    <>
      <p className="over">feature service</p>
      <div className="title begins">
        <h1>{service.name}</h1>
        <DeprecatedBadge deprecated={service.deprecated} />
      </div>
      <DeprecatedNote deprecated={service.deprecated} />
      {service.description !== null && <p className="lead">{service.description}</p>}
      <TagList tags={service.tags} />
      <Facts
        facts={{
          Owner: service.owner ?? 'none is named',
          Keys: Object.keys(asked.keys).join(', '),
          'Values of the request': Object.keys(asked.request).join(', '),
        }}
      />
      <p className="buttons">
        <a className="button" href={`${href('playground')}?service=${encodeURIComponent(service.name)}`}>
          Try it in the playground
        </a>
      </p>
      <h2>Features</h2>
      <Table
        label="Features"
        rows={service.features}
        keyOf={(reference) => reference}
        columns={[
          {
            title: 'feature',
            cell: (reference) => (
              <>
                {splitReference(reference).feature} <DeprecatedBadge deprecated={rowOf(reference)?.deprecated} />
              </>
            ),
          },
          {
            title: 'view',
            cell: (reference) => <a href={href('views', splitReference(reference).view)}>{splitReference(reference).view}</a>,
          },
          { title: 'type', cell: (reference) => <code>{rowOf(reference)?.type}</code> },
          ...(service.features.some((reference) => splitReference(reference).prefix !== undefined)
            ? [{ title: 'joined as', cell: (reference: string) => splitReference(reference).prefix ?? '' }]
            : []),
        ]}
      />
      <h2>Read by</h2>
      <Readers readers={service.readers} />
      <h2>Datasets made of it</h2>
      <MadeDatasets catalogue={catalogue} id={`services/${service.name}`} />
      <h2>Lineage</h2>
      <Lineage catalogue={catalogue} id={`services/${service.name}`} />
      <h2>Code</h2>
      <Code samples={writeSamples({ service: service.name, keys: asked.keys, request: asked.request })} />
    </>
  );
}
