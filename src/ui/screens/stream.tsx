/** One stream: its partitions, and the events that it set aside with their reasons. */
import { type FormEvent, useState } from 'react';
import { type Partition, readSetAside, readStream, type SetAsideEvent, type StreamRow } from '../api/streams.ts';
import { useAnswer } from '../api/use-answer.ts';
import { Facts } from '../parts/facts.tsx';
import { formatAge, formatInstant, formatNumber, formatSeconds } from '../parts/format.ts';
import { Block } from '../parts/scroll.tsx';
import { Table } from '../parts/table.tsx';
import { Empty, Told } from '../parts/told.tsx';
import { State } from './streams.tsx';
import { Links } from './view.tsx';

export function Stream({ name }: { readonly name: string }) {
  const answer = useAnswer(`stream ${name}`, (signal) => readStream(name, signal));
  return (
    <>
      <p className="over">stream</p>
      <div className="title">
        <h1>{name}</h1>
        <button type="button" className="quiet" onClick={answer.reload}>
          Read again
        </button>
      </div>
      <Told answer={answer}>{(stream) => <Progress stream={stream} />}</Told>
      <h2>Set aside</h2>
      <SetAsideEvents source={name} />
    </>
  );
}

function Progress({ stream }: { readonly stream: StreamRow }) {
  const { since_start: since, error, log_error: logError } = stream;
  const ignored = since?.ignored_fields ?? [];
  const number = (title: string, of: keyof Partition) => ({
    title,
    isNumber: true,
    cell: (row: Partition) => formatNumber(row[of]),
  });
  return (
    <>
      <Facts
        facts={{
          State: <State stream={stream} />,
          'Why nothing is read': error,
          'Why the log is not seen': logError,
          'Events come from': stream.stream ?? 'pushes alone',
          Views: stream.views.length === 0 ? 'none reads it' : <Links part="views" names={stream.views} />,
          'Applied since the server started': since === null ? null : formatNumber(since.applied),
          'Fields that the source does not declare': ignored
            .map(
              ({ name, events, did_you_mean: near }) =>
                `${name} (${formatNumber(events)} events${near === null ? '' : `, near ${near}`})`,
            )
            .join(', '),
        }}
      />
      <h2>Partitions</h2>
      {stream.partitions.length === 0 ? (
        <Empty title="Nothing has come yet" />
      ) : (
        <Table
          label="Partitions"
          rows={stream.partitions}
          keyOf={({ partition }) => partition}
          columns={[
            { title: 'partition', cell: ({ partition }) => partition },
            number('lag, records', 'lag_records'),
            { title: 'lag', isNumber: true, cell: (row) => formatSeconds(row.lag_seconds) },
            { title: 'newest event', cell: (row) => formatAge(row.max_event_time) },
            number('events', 'events'),
            number('late', 'late'),
            number('set aside', 'set_aside'),
            number('duplicates', 'duplicates'),
            { title: 'next offset', isNumber: true, cell: ({ next }) => next ?? '–' },
            { title: 'end of the log', isNumber: true, cell: ({ end }) => end ?? '–' },
          ]}
        />
      )}
    </>
  );
}

function SetAsideEvents({ source }: { readonly source: string }) {
  const [reason, setReason] = useState('');
  const answer = useAnswer(`set aside ${source} ${reason}`, (signal) => readSetAside({ source, reason }, signal));
  const filter = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    setReason(String(new FormData(event.currentTarget).get('reason') ?? '').trim());
  };
  return (
    <>
      <form className="row" onSubmit={filter}>
        <label>
          With this in the reason
          <input name="reason" type="search" />
        </label>
        <button type="submit">Filter</button>
      </form>
      <Told answer={answer}>
        {({ total, removed, counts, events }) => (
          <>
            <ul className="legend">
              {Object.entries(counts)
                .filter(([, count]) => count > 1)
                .map(([name, count]) => (
                  <li key={name}>
                    {name} <strong>{formatNumber(count)}</strong>
                  </li>
                ))}
            </ul>
            {events.length === 0 ? (
              <Empty
                title={
                  reason === ''
                    ? 'No event was set aside: each one that came counts'
                    : `No event was set aside with “${reason}” in its reason`
                }
              />
            ) : (
              <>
                <p className="note">
                  {`The newest ${formatNumber(events.length)} of ${formatNumber(total)} that are kept`}
                  {removed > 0 && `; ${formatNumber(removed)} older ones made room`}
                </p>
                <Events events={events} />
              </>
            )}
          </>
        )}
      </Told>
    </>
  );
}

function Events({ events }: { readonly events: readonly SetAsideEvent[] }) {
  return (
    <ul className="events">
      {events.map((event) => (
        <li key={`${event.partition} ${event.offset}`}>
          <details>
            <summary>
              <span className="reason">{event.reason}</span>
              <span className="note">{formatInstant(event.set_aside_at)}</span>
            </summary>
            <Facts
              facts={{
                Partition: event.partition,
                Offset: event.offset,
                Bytes: formatNumber(event.bytes),
              }}
            />
            {event.value === null ? (
              <p className="note">Its value is not kept.</p>
            ) : (
              <Block label="Value" text={`${event.value}${event.is_truncated ? ' …' : ''}`} />
            )}
            {event.encoding === 'base64' && <p className="note">The value is no text: it stands in base64.</p>}
          </details>
        </li>
      ))}
    </ul>
  );
}
