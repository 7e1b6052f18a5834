/** Health: alerts by the rules of the config, alarms of single features, and how old what is served of each view is. */
import { readCatalogue, type ViewRow } from '../api/catalogue.ts';
import { useAnswer } from '../api/use-answer.ts';
import { type FeatureHealth, readAlerts, readHealth, type ShownAlerts } from '../api/watched.ts';
import { featureHref } from '../parts/areas.ts';
import { Badge } from '../parts/facts.tsx';
import { formatAge, formatInstant, formatNumber, formatSeconds, words } from '../parts/format.ts';
import { href } from '../parts/route.ts';
import { Table } from '../parts/table.tsx';
import { Empty, Told } from '../parts/told.tsx';

export function Health() {
  const alerts = useAnswer('alerts', readAlerts);
  const health = useAnswer('health', readHealth);
  const catalogue = useAnswer('catalogue', readCatalogue);
  const reload = () => {
    for (const answer of [alerts, health, catalogue]) answer.reload();
  };
  return (
    <>
      <div className="title">
        <h1>Health</h1>
        <button type="button" className="quiet" onClick={reload}>
          Read again
        </button>
      </div>
      <h2>Alerts</h2>
      <Told answer={alerts}>{(found) => <Alerts found={found} />}</Told>
      <h2>Alarms of features</h2>
      <Told answer={health}>{(found) => <Alarms found={found} />}</Told>
      <h2>Freshness</h2>
      <Told answer={catalogue}>{({ views }) => <Freshness views={views.filter(({ kind }) => kind !== 'on_demand')} />}</Told>
    </>
  );
}

function Alerts({ found: { rules, alerts, checked_at: at, not_looked_at: missed } }: { readonly found: ShownAlerts }) {
  if (rules.length === 0) {
    return (
      <Empty title="No rule of alerts is set">
        <p>
          <code>alerts</code> in the config says what is told to whom: alarms, failing reports, streams that lag.
        </p>
      </Empty>
    );
  }
  return (
    <>
      <p className="note">
        {`Rules: ${rules.map(({ rule, severity }) => `${rule} (${severity})`).join(', ')}. `}
        {at === null ? 'They were not looked at yet.' : `Looked at ${formatAge(at)}.`}
      </p>
      {missed.map(({ when, since, error, views }) => (
        <p key={when}>
          <Badge text="warning" />{' '}
          {`Rules of ${when}${views === undefined ? '' : ` of ${views.join(', ')}`} could not be looked at, first ${formatAge(since)}, and their alerts are as they were: ${error}`}
        </p>
      ))}
      {alerts.length === 0 ? (
        <Empty title={at === null ? 'Nothing is known yet' : 'No alert fires'} />
      ) : (
        <Table
          label="Alerts"
          rows={alerts}
          keyOf={({ rule, severity, labels }) => `${severity} ${rule} ${JSON.stringify(labels)}`}
          columns={[
            { title: 'alert', cell: ({ rule }) => rule },
            { title: 'state', cell: ({ state, severity }) => <Badge text={state === 'firing' ? severity : state} /> },
            { title: 'about', cell: ({ labels }) => <About labels={labels} /> },
            { title: 'what', cell: ({ text }) => text },
            { title: 'since', cell: ({ since }) => <span title={formatInstant(since)}>{formatAge(since)}</span> },
          ]}
        />
      )}
    </>
  );
}

function About({ labels: { view, feature, source, partition } }: { readonly labels: Readonly<Record<string, string>> }) {
  if (view !== undefined) return <a href={featureHref(view, feature)}>{feature === undefined ? view : `${view}:${feature}`}</a>;
  if (source === undefined) return null;
  return (
    <>
      <a href={href('streams', source)}>{source}</a>
      {partition !== undefined && `, partition ${partition}`}
    </>
  );
}

function Alarms({ found }: { readonly found: FeatureHealth }) {
  const { checked_at: at, features, judged, alarms, advice, never_varied: constant } = found;
  if (at === null) {
    return (
      <Empty title="No feature was looked at yet">
        <p>{advice ?? 'What is served is compared with what was served before; the first look comes within minutes.'}</p>
      </Empty>
    );
  }
  return (
    <>
      <p className="note">
        {`Looked at ${formatAge(at)}: ${formatNumber(features)} features were served of late, ${formatNumber(judged)} of them by enough keys to say something.`}
      </p>
      {alarms.length === 0 ? (
        <Empty title={judged === 0 ? 'Too few keys ask for anything to be said' : 'No feature has an alarm'} />
      ) : (
        <Table
          label="Alarms"
          rows={alarms}
          keyOf={({ view, feature, alarm }) => `${view}:${feature} ${alarm}`}
          columns={[
            { title: 'feature', cell: ({ view, feature }) => <a href={featureHref(view, feature)}>{`${view}:${feature}`}</a> },
            { title: 'alarm', cell: ({ alarm }) => <span className="badge bad">{words(alarm)}</span> },
            { title: 'what', cell: ({ text }) => text },
            { title: 'since', cell: ({ since }) => <span title={formatInstant(since)}>{formatAge(since)}</span> },
          ]}
        />
      )}
      {constant.length > 0 && (
        <p className="note">
          {'Never varied, which may be meant: '}
          {constant.map(({ view, feature, value }) => `${view}:${feature} (${value})`).join(', ')}
        </p>
      )}
    </>
  );
}

function Freshness({ views }: { readonly views: readonly ViewRow[] }) {
  if (views.length === 0) return <Empty title="There is no view that has events" />;
  return (
    <Table
      label="Freshness"
      rows={views}
      keyOf={({ name }) => name}
      columns={[
        { title: 'view', cell: ({ name }) => <a href={href('views', name)}>{name}</a> },
        {
          title: 'state',
          cell: ({ freshness, freshness_state: state }) =>
            state != null ? <Badge text={state} /> : freshness != null ? 'cannot be told now' : '–',
        },
        { title: 'objective', cell: ({ freshness }) => freshness ?? 'none' },
        { title: 'newest event served', isNumber: true, cell: (view) => formatSeconds(view.event_age_seconds) },
        { title: 'up to date', isNumber: true, cell: (view) => formatSeconds(view.processing_age_seconds) },
        { title: 'newest event of its source', isNumber: true, cell: ({ newest_event: at }) => formatAge(at) },
      ]}
    />
  );
}
