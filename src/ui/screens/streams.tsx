/** All streams: how far behind each is, and what goes wrong. */
import { lagOf, readStreams, type StreamRow, sumOf } from '../api/streams.ts';
import { useAnswer } from '../api/use-answer.ts';
import { formatNumber, formatSeconds } from '../parts/format.ts';
import { href } from '../parts/route.ts';
import { Table } from '../parts/table.tsx';
import { Empty, Told } from '../parts/told.tsx';

export function Streams() {
  const answer = useAnswer('streams', readStreams);
  return (
    <>
      <div className="title">
        <h1>Streams</h1>
        <button type="button" className="quiet" onClick={answer.reload}>
          Read again
        </button>
      </div>
      <Told answer={answer}>
        {(streams) =>
          streams.length === 0 ? (
            <Empty title="No event source is applied">
              <p>
                An <code>eventSource</code> and a <code>streamFeatureView</code> over it compute features while events arrive.
              </p>
            </Empty>
          ) : (
            <List streams={streams} />
          )
        }
      </Told>
    </>
  );
}

function List({ streams }: { readonly streams: readonly StreamRow[] }) {
  return (
    <Table
      label="Streams"
      rows={streams}
      keyOf={({ source }) => source}
      columns={[
        { title: 'source', cell: ({ source }) => <a href={href('streams', source)}>{source}</a> },
        { title: 'state', cell: (stream) => <State stream={stream} /> },
        { title: 'lag, records', isNumber: true, cell: (stream) => formatNumber(lagOf(stream).records) },
        { title: 'lag', isNumber: true, cell: (stream) => formatSeconds(lagOf(stream).seconds) },
        { title: 'events', isNumber: true, cell: (stream) => formatNumber(sumOf(stream, 'events')) },
        { title: 'late', isNumber: true, cell: (stream) => formatNumber(sumOf(stream, 'late')) },
        { title: 'set aside', isNumber: true, cell: (stream) => formatNumber(sumOf(stream, 'set_aside')) },
        { title: 'from', cell: ({ stream }) => stream ?? 'pushes' },
      ]}
    />
  );
}

export function State({ stream: { error, log_error: logError } }: { readonly stream: StreamRow }) {
  if (error !== null) return <span className="badge bad">stopped</span>;
  return logError === null ? <span className="badge good">reading</span> : <span className="badge warn">log not seen</span>;
}
