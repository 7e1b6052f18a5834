/** What the server has served of a view since it started: statuses, defaults, how far it is materialized. */
import { readServed } from '../api/served.ts';
import { useAnswer } from '../api/use-answer.ts';
import { ShareBar } from '../parts/bar.tsx';
import { Facts } from '../parts/facts.tsx';
import { formatNumber, formatSeconds, formatShare } from '../parts/format.ts';
import { Empty, Told } from '../parts/told.tsx';

const statuses = ['PRESENT', 'NULL_VALUE', 'NOT_FOUND', 'OUTSIDE_MAX_AGE'];

export function ViewServed({ view }: { readonly view: string }) {
  const answer = useAnswer(`served ${view}`, (signal) => readServed(view, signal));
  return (
    <Told answer={answer}>
      {({ statuses: counts, values, defaults, lagSeconds }) => (
        <>
          {values === 0 ? (
            <Empty title="Nothing was served of this view since the server started" />
          ) : (
            <ShareBar
              label="Statuses of the values served since the server started"
              shares={statuses.map((name, at) => ({ name, count: counts[name] ?? 0, colour: at + 1 }))}
            />
          )}
          <Facts
            facts={{
              'Values served': values === 0 ? null : formatNumber(values),
              'Default rate': values === 0 ? null : formatShare(defaults / values),
              'Behind, by materialization': lagSeconds === undefined ? null : formatSeconds(lagSeconds),
            }}
          />
        </>
      )}
    </Told>
  );
}
