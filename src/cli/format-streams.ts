/** Streams as text for people, within 80 columns as far as names allow. */
import type { ShownSetAsideReport, ShownStream } from '../http/stream-answers.ts';
import type { FillProgress, FillReport } from '../stream/fill-features.ts';
import { foldLine, terminalWidth } from './fold-line.ts';
import { printTable } from './print-table.ts';

const shownValue = 76;
const shownFields = 5;

/** A line a partition, then what is wrong. */
export function formatStreams(streams: readonly ShownStream[]): string {
  if (streams.length === 0) return 'there is no event source\n';
  const rows = streams.flatMap(({ source, error, partitions }) =>
    partitions.map((each) => ({
      source,
      partition: each.partition,
      next: each.next,
      lag: each.lag_records ?? '?',
      behind: each.lag_seconds === null ? '?' : formatSeconds(each.lag_seconds),
      newest: each.freshness_seconds === null ? '' : `${formatSeconds(each.freshness_seconds)} ago`,
      late: each.late,
      set_aside: each.set_aside,
      state: error === null ? '' : 'stands still',
    })),
  );
  const columns = ['source', 'partition', 'next', 'lag', 'behind', 'newest', 'late', 'set_aside'];
  const shown = streams.some(({ error }) => error !== null) ? [...columns, 'state'] : columns;
  const headings = shown.map((name) => name.replace('_', ' ').toUpperCase());
  const wrong = streams.flatMap(({ source, error, log_error: logError }) => [
    ...(error === null ? [] : [`${source} stands still: ${error}\n`]),
    ...(logError === null || logError === error ? [] : [`how far the log of ${source} goes is not known: ${logError}\n`]),
  ]);
  return `${printTable(shown, rows, headings)}${wrong.join('')}${streams.map(formatIgnored).join('')}`;
}

/** What events had and their source does not declare, the most frequent; nothing where there was none or no process is asked. */
function formatIgnored({ source, since_start: since }: ShownStream): string {
  if (since === null || since.ignored_fields.length === 0) return '';
  const shown = since.ignored_fields.slice(0, shownFields).map(({ name, events, did_you_mean: meant }) => {
    const question = meant === null ? '' : `, did you mean "${meant}"?`;
    return `${asLine(name)} (${events}${question})`;
  });
  const more = since.ignored_fields.length - shown.length;
  const all = more === 0 && since.other_ignored_fields === 0 ? shown : [...shown, 'and more, see --json'];
  const parts = all.map((item, at) => (at === all.length - 1 ? item : `${item},`));
  return `${foldLine([`${source}: ignored fields:`, ...parts], terminalWidth, '  ').join('\n')}\n`;
}

/** Reasons by how often they are, then the events. */
export function formatSetAside({ source, total, removed, counts, events }: ShownSetAsideReport): string {
  if (total === 0) return `no event of ${source} is set aside\n`;
  const older = removed === 0 ? '' : `; ${removed} older ones made room for them`;
  const lines = [`set aside of ${source}: ${total}${older}`];
  for (const [reason, count] of Object.entries(counts)) lines.push(`  ${count} x ${asLine(reason)}`);
  for (const { partition, offset, set_aside_at: at, reason, value, encoding, bytes } of events) {
    lines.push('', `partition ${partition}, offset ${offset}, at ${at}`, `  ${asLine(reason)}`);
    if (value !== null) lines.push(`  ${showValue(value, encoding, bytes)}`);
  }
  return `${lines.join('\n')}\n`;
}

/** A line while states are made from history. */
export function describeFilling({ view, phase, done, of, events, keys }: FillProgress): string {
  const work = {
    sorting: 'events are sorted',
    writing: `${events.toLocaleString('en')} events read, ${keys.toLocaleString('en')} keys`,
    removing: 'keys without events are removed',
  };
  return `${of === 1 ? view : `${view} (${done + 1} of ${of})`}: ${work[phase]}`.slice(0, 79);
}

export function formatFilled(views: FillReport['views']): string {
  if (views.length === 0) return 'no feature is computed from this source\n';
  const rows = views.map(({ view, features, events, keys }) => ({ view, features: features.length, events, keys }));
  return printTable(['view', 'features', 'events', 'keys'], rows);
}

function showValue(value: string, encoding: string | null, bytes: number): string {
  const whole = encoding === 'base64' ? `base64 ${value}` : asLine(value);
  return whole.length <= shownValue ? whole : `${whole.slice(0, shownValue - 20)} … (${bytes} bytes)`;
}

/** Does nothing to a terminal, whoever wrote it. */
function asLine(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not reach a terminal.
  return text.replace(/[\u0000-\u001f\u007f-\u009f]/g, ' ');
}

function formatSeconds(seconds: number): string {
  if (seconds < 120) return `${seconds > 0 && seconds < 10 ? seconds.toFixed(1) : Math.round(seconds)} s`;
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`;
  return seconds < 172_800 ? `${Math.round(seconds / 3600)} h` : `${Math.round(seconds / 86_400)} d`;
}
