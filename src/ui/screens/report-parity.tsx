/** A report of parity, feature by feature, with the keys that differ most. */
import type { ParityExample, ParityFeature, WholeReport } from '../api/reports.ts';
import { Evidence } from '../parts/evidence.tsx';
import { Badge, Facts } from '../parts/facts.tsx';
import { Fold, sortByResult, TitleOf, useIsSought, ViewLink } from '../parts/fold.tsx';
import { formatInstant, formatNumber, formatShare, formatValue, numberOf, words } from '../parts/format.ts';
import { Keys, Value } from '../parts/value.tsx';

export function ParityFeatures({ report }: { readonly report: WholeReport }) {
  const features = sortByResult(report.features as readonly ParityFeature[]);
  const isSought = useIsSought();
  return features.map((feature) => (
    <Fold
      key={`${feature.view}:${feature.feature}`}
      isOpen={feature.result === 'FAIL' && features.length < 4}
      isSought={isSought(feature)}
      title={<TitleOf feature={feature} />}
      told={`${formatShare(feature.share_within)} of ${formatNumber(feature.n)} within tolerance`}
    >
      <Facts
        facts={{
          View: <ViewLink view={feature.view} />,
          Compared: formatNumber(feature.n),
          'Exactly the same': formatNumber(feature.exact),
          'Within tolerance': formatNumber(feature.within_tolerance),
          'Mean difference': numberOf(feature.mean_abs_error),
          'Greatest difference': numberOf(feature.max_abs_error),
          '99th percentile': numberOf(feature.p99),
          Correlation: numberOf(feature.pearson),
          'Differences examined': feature.examined === 0 ? null : formatNumber(feature.examined),
          Causes: Object.entries(feature.causes)
            .map(([cause, n]) => `${words(cause)}: ${formatNumber(n)}`)
            .join(', '),
        }}
      />
      {feature.worst.length > 0 && <h3>Keys that differ most</h3>}
      {feature.worst.map((example) => (
        <Example key={`${JSON.stringify(example.keys)} ${example.evaluated_at}`} example={example} />
      ))}
    </Fold>
  ));
}

function Example({ example }: { readonly example: ParityExample }) {
  const { keys, evaluated_at: at, online, offline, difference, cause, evidence } = example;
  return (
    <Fold
      title={<Keys keys={keys} />}
      told={`${brief(online.value)} online, ${brief(offline.value)} offline${cause === null ? '' : `: ${words(cause)}`}`}
    >
      <p>{evidence.text}</p>
      <Facts
        facts={{
          'Served at': formatInstant(at),
          Online: <Side side={online} />,
          Offline: <Side side={offline} />,
          Difference: difference === null ? null : formatNumber(difference),
        }}
      />
      <Evidence title="Rows or events behind the value served" value={evidence.online} />
      <Evidence title="Rows or events behind the training value" value={evidence.offline} />
    </Fold>
  );
}

function brief(value: unknown): string {
  return typeof value === 'number' ? formatNumber(value) : formatValue(value);
}

export function Side({ side }: { readonly side: ParityExample['online'] }) {
  return (
    <>
      <Value value={side.value} /> <Badge text={side.status} /> {side.is_default && <span className="badge">default</span>}
      {side.event_timestamp !== null && <div className="note">{formatInstant(side.event_timestamp)}</div>}
    </>
  );
}
