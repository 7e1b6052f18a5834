/** Results of reports over time, one row a kind: each mark leads to its report. */
import type { Envelope } from '../api/reports.ts';
import { formatInstant } from './format.ts';
import { href } from './route.ts';

const most = 60;

export interface TimelineProps {
  readonly reports: readonly Envelope[];
  /** In the order of their rows; others come below. */
  readonly kinds: readonly string[];
}

export function Timeline({ reports, kinds: ordered }: TimelineProps) {
  const there = new Set(reports.map(({ kind }) => kind));
  const kinds = [...ordered.filter((kind) => there.has(kind)), ...[...there].filter((kind) => !ordered.includes(kind))];
  return (
    <figure>
      <figcaption>The last results, the newest at the right</figcaption>
      <dl className="timeline">
        {kinds.map((kind) => (
          <div key={kind}>
            <dt>{kind}</dt>
            <dd>
              {reports
                .filter((report) => report.kind === kind)
                .slice(0, most)
                .reverse()
                .map(({ id, result, created_at: at }) => (
                  <a
                    key={id}
                    href={href('reports', id)}
                    className={`mark ${marks[result]}`}
                    title={`${formatInstant(at)}: ${result}`}
                  >
                    <span aria-hidden="true">{signs[result]}</span>
                    <span className="for-readers">{`${formatInstant(at)}: ${result}`}</span>
                  </a>
                ))}
            </dd>
          </div>
        ))}
      </dl>
    </figure>
  );
}

const marks = { PASS: 'good', FAIL: 'bad', 'NO DATA': 'dim' } as const;
/** Colours are not told apart by everybody. */
const signs = { PASS: '✓', FAIL: '✕', 'NO DATA': '–' } as const;
