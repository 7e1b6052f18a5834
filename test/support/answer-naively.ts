/** Answers a scenario by the oracle. */
import type { Field } from '../../src/arrow/schema.ts';
import { parseDurationUs } from '../../src/definitions/duration.ts';
import { type NaiveTime, toInstantNaively } from './naive-instant.ts';
import { joinNaively, type NaiveCell, type NaiveView } from './naive-join.ts';
import { convertKeysNaively, type NaiveKeyColumn } from './naive-keys.ts';
import { type Answer, type AnswerColumn, outputName, type Scenario, type ScenarioView } from './scenario.ts';

/** The answer by the rules; NaiveRefusal where they refuse the request. */
export function answerNaively(scenario: Scenario): Answer {
  const times = readTimes(scenario);
  const cellsByLabel = new Map<string, NaiveCell[][]>();
  const columns: AnswerColumn[] = [];
  const ties: Record<string, number> = {};
  for (const wanted of scenario.features) {
    const view = scenario.views.find(({ name }) => name === wanted.view) as ScenarioView;
    const label = wanted.prefix ?? view.name;
    const cells = cellsByLabel.get(label) ?? answerView(scenario, view, label, times);
    cellsByLabel.set(label, cells);
    const at = view.features.findIndex(({ name }) => name === wanted.feature);
    const column = cells.map((row) => row[at] as NaiveCell);
    const name = outputName(scenario, wanted);
    columns.push({ name, values: column.map(({ value }) => value) });
    if (scenario.statuses === true) {
      columns.push({ name: `${name}__status`, values: column.map(({ status }) => status) });
      columns.push({ name: `${name}__event_timestamp`, values: column.map(({ eventTimestamp }) => eventTimestamp) });
      columns.push({ name: `${name}__is_default`, values: column.map(({ isDefault }) => isDefault) });
    }
    ties[name] = column.filter((cell) => cell.ties > 0).length;
  }
  return { columns, ties };
}

function readTimes({ frame, atUs, timestamp = 'event_timestamp', timezone }: Scenario): (bigint | null)[] {
  if (atUs !== undefined) return new Array(frame.rows).fill(atUs);
  const column = frame.columns.find(({ field }) => field.name === timestamp);
  if (column === undefined) throw new Error(`no column ${timestamp}`);
  return column.values.map((value) => (value === null ? null : toInstantNaively(value, timeOf(column.field), { timezone })));
}

function timeOf({ type }: Field): NaiveTime {
  if (type.id === 'date') return { kind: 'date' };
  if (type.id !== 'timestamp') throw new Error(`${type.id} holds no times`);
  return { kind: 'time', unit: type.unit, zoned: type.timezone !== undefined };
}

function answerView(scenario: Scenario, view: ScenarioView, label: string, times: readonly (bigint | null)[]): NaiveCell[][] {
  const keys = view.keys.map((key) => {
    const name = scenario.keys?.[label]?.[key.name] ?? key.name;
    const column = scenario.frame.columns.find(({ field }) => field.name === name);
    if (column === undefined) throw new Error(`no column ${name}`);
    if (column.field.type.id === 'null') return column.values.map(() => null);
    return convertKeysNaively(column.values, kindOf(column.field), key.type);
  });
  const frame = times.map((timeUs, row) => ({ timeUs, keys: keys.map((column) => column[row] as string | null) }));
  return joinNaively(describeNaively(view), frame, scenario.asKnown);
}

function describeNaively(view: ScenarioView): NaiveView {
  const { keys, source, delay, ttl, asKnown, features } = view;
  const delayUs = delay === undefined ? undefined : parseDurationUs(delay);
  return { keys, source, asKnown, features, delayUs, ttlUs: ttl === undefined ? undefined : parseDurationUs(ttl) };
}

function kindOf({ type }: Field): NaiveKeyColumn {
  switch (type.id) {
    case 'int':
      return 'integer';
    case 'float':
    case 'bool':
      return type.id;
    default:
      return type.id.toLowerCase().includes('utf8') ? 'string' : 'bytes';
  }
}
