/** What is wrong with a view now: alerts about it, and alarms of its features. Nothing where nothing is. */
import { useAnswer } from '../api/use-answer.ts';
import { readAlerts, readHealth } from '../api/watched.ts';
import { problemOf, problemOfAlarm } from '../parts/areas.ts';
import { Problems } from '../parts/problems.tsx';

export function ViewAlarms({ view }: { readonly view: string }) {
  const alerts = useAnswer('alerts', readAlerts);
  const health = useAnswer('health', readHealth);
  const firing = (alerts.data?.alerts ?? []).filter(({ labels, state }) => labels.view === view && state === 'firing');
  const alarms = (health.data?.alarms ?? []).filter((alarm) => alarm.view === view);
  const problems = [...firing.map(problemOf), ...alarms.map(problemOfAlarm)];
  const error = alerts.error ?? health.error;
  return (
    <>
      {problems.length > 0 && (
        <>
          <h2>Wrong now</h2>
          <Problems label="Wrong now" problems={problems} />
        </>
      )}
      {error !== undefined && <p className="note">{`Not all alarms and alerts of this view are known here: ${error.message}`}</p>}
    </>
  );
}
