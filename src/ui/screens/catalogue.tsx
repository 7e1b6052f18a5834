/** All that is applied, filtered by words and by kind. */
import { type Catalogue as Applied, readCatalogue } from '../api/catalogue.ts';
import { useAnswer } from '../api/use-answer.ts';
import { DeprecatedBadge } from '../parts/deprecated.tsx';
import { TagList } from '../parts/facts.tsx';
import { findItems, type Item, itemKinds } from '../parts/find-items.ts';
import { formatAge, formatNumber } from '../parts/format.ts';
import { replaceQuery, useRoute } from '../parts/route.ts';
import { Empty, Told } from '../parts/told.tsx';

export function Catalogue() {
  const answer = useAnswer('catalogue', readCatalogue);
  return (
    <>
      <h1>Catalogue</h1>
      <Told answer={answer}>{(catalogue) => <Items catalogue={catalogue} />}</Told>
    </>
  );
}

function Items({ catalogue }: { readonly catalogue: Applied }) {
  const { query } = useRoute();
  const [q, kind] = [query.get('q') ?? '', query.get('kind') ?? ''];
  const found = findItems(catalogue, q);
  // Features are many: they are shown where somebody looks for something.
  const isShown = (item: Item, of: string) => (of === '' ? q !== '' || item.kind !== 'feature' : item.kind === of);
  const shown = found.filter((item) => isShown(item, kind));
  if (catalogue.views.length + catalogue.sources.length === 0) {
    return (
      <Empty title="Nothing is applied yet">
        <p>
          Write definitions under <code>features/</code>, then run <code>featherflight apply</code>.
        </p>
      </Empty>
    );
  }
  return (
    <>
      <fieldset className="filters" aria-label="Kinds">
        {['', ...itemKinds].map((each) => {
          const count = found.filter((item) => isShown(item, each)).length;
          return (
            <button key={each} type="button" aria-pressed={each === kind} onClick={() => replaceQuery({ kind: each })}>
              {each === '' ? 'All' : plurals[each as Item['kind']]} <span className="count">{formatNumber(count)}</span>
            </button>
          );
        })}
      </fieldset>
      {catalogue.datasetsUnread !== null && (
        <p className="banner" role="note">{`Datasets are not among these: ${catalogue.datasetsUnread}`}</p>
      )}
      <p className="for-readers" role="status">{`${shown.length} found`}</p>
      {shown.length === 0 && (
        <Empty title={`Nothing has “${q}” in its name, description, owner, tags or features`}>
          <button type="button" className="quiet" onClick={() => replaceQuery({ q: '', kind: '' })}>
            Show all
          </button>
        </Empty>
      )}
      {groupsOf(shown, q === '' && kind === '').map(([title, items]) => (
        <section key={title} aria-label={title === '' ? 'Found' : title}>
          {title !== '' && <h2>{title}</h2>}
          <ul className="cards">
            {items.map((item) => (
              <Card key={`${item.kind} ${item.href}`} item={item} isKindTold={title === ''} />
            ))}
          </ul>
        </section>
      ))}
    </>
  );
}

/** What was searched for stands in the order of how well it fits. */
function groupsOf(items: readonly Item[], byKind: boolean): readonly (readonly [title: string, items: readonly Item[]])[] {
  if (!byKind) return [['', items]];
  return itemKinds.flatMap((kind): readonly (readonly [string, readonly Item[]])[] => {
    const own = items.filter((item) => item.kind === kind);
    return own.length === 0 ? [] : [[plurals[kind], own]];
  });
}

const plurals: Readonly<Record<Item['kind'], string>> = {
  view: 'Views',
  feature: 'Features',
  service: 'Services',
  source: 'Sources',
  entity: 'Entities',
  dataset: 'Datasets',
};

/** Who made a dataset is known only where there are tokens. */
function ownerless(kind: Item['kind']): string {
  return kind === 'dataset' ? '' : 'no owner';
}

interface CardProps {
  readonly item: Item;
  readonly isKindTold: boolean;
}

function Card({ item: { kind, name, href, description, owner, tags, told, newest, deprecated }, isKindTold }: CardProps) {
  return (
    <li className="card">
      <div className="card-top">
        <a className="name" href={href}>
          {name}
        </a>
        <span className="kind">
          <DeprecatedBadge deprecated={deprecated} /> {isKindTold && kind}
        </span>
      </div>
      {description !== null && <p>{description}</p>}
      <p className="note">
        {[told, owner ?? ownerless(kind), newest === undefined ? '' : formatAge(newest)].filter(Boolean).join(' · ')}
      </p>
      <TagList tags={tags} />
    </li>
  );
}
