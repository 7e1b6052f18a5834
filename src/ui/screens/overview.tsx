/** What is wrong now, and what is watched at all. */
import { type Overview as Known, readOverview } from '../api/overview.ts';
import { useAnswer } from '../api/use-answer.ts';
import { type Area, areasOf } from '../parts/areas.ts';
import { formatInstant } from '../parts/format.ts';
import { Problems } from '../parts/problems.tsx';
import { Empty, Told } from '../parts/told.tsx';

export function Overview() {
  const answer = useAnswer('overview', readOverview);
  return (
    <>
      <div className="title">
        <h1>Overview</h1>
        <button type="button" className="quiet" onClick={answer.reload}>
          Read again
        </button>
      </div>
      <Told answer={answer}>{(overview) => <Whole overview={overview} />}</Told>
    </>
  );
}

function Whole({ overview }: { readonly overview: Known }) {
  const { catalogue, readAt } = overview;
  if (catalogue.views.length + catalogue.sources.length === 0) {
    return (
      <Empty title="Nothing is applied yet">
        <p>
          Write definitions under <code>features/</code>, then run <code>featherflight apply</code>.
        </p>
      </Empty>
    );
  }
  const areas = areasOf(overview);
  const wrong = areas.filter(({ state }) => state === 'wrong');
  const others = areas.filter(({ state }) => state !== 'wrong');
  const count = wrong.reduce((sum, { problems }) => sum + problems.length, 0);
  return (
    <>
      <p className="lead" role="status">
        {headline(count, areas)} <span className="note">{`As of ${formatInstant(readAt)}.`}</span>
      </p>
      {wrong.map((area) => (
        <section key={area.name} className="area wrong">
          <AreaTop area={area} />
          <Problems label={`Wrong: ${area.name}`} problems={area.problems} />
        </section>
      ))}
      {others.length > 0 && (
        <>
          <h2>{wrong.length === 0 ? 'What is watched' : 'What else is watched'}</h2>
          <div className="areas">
            {others.map((area) => (
              <section key={area.name} className="area">
                <AreaTop area={area} />
              </section>
            ))}
          </div>
        </>
      )}
    </>
  );
}

function headline(count: number, areas: readonly Area[]): string {
  if (count > 0) return `${count === 1 ? 'One thing is' : `${count} things are`} wrong now.`;
  const unknown = areas.filter(({ state }) => state !== 'well').length;
  return unknown === 0 ? 'Nothing is wrong in what is watched.' : 'Nothing is known to be wrong; not everything is watched.';
}

const badges = {
  wrong: ['bad', 'wrong'],
  well: ['good', 'well'],
  unwatched: ['dim', 'not watched'],
  hidden: ['dim', 'not to be seen'],
} as const;

function AreaTop({ area: { name, href: target, state, told, problems } }: { readonly area: Area }) {
  const [kind, word] = badges[state];
  const isMild = state === 'wrong' && problems.every(({ severity }) => severity === 'warn');
  return (
    <>
      <div className="card-top">
        <h3>
          <a href={target}>{name}</a>
        </h3>
        <span className={`badge ${isMild ? 'warn' : kind}`}>{state === 'wrong' ? problems.length : word}</span>
      </div>
      <p className="note">{told}</p>
    </>
  );
}
