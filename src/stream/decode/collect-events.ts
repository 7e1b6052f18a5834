/** Collects events, given as objects of raw values by name, into the typed columns of a source. */
import type { LiteralValue } from '../../definitions/literal.ts';
import { parseValueType } from '../../definitions/value-type.ts';
import { asFeatureStoreError, didYouMean } from '../../errors.ts';
import type { SourceDocument } from '../../registry/document.ts';
import type { DecodedEvents, SetAsideEvent } from './decoded-events.ts';
import { countIgnoredFields } from './ignored-fields.ts';
import { compileReadTime } from './read-time.ts';
import { compileReadText, compileReadValue, type ReadValue } from './read-value.ts';
import { Refusal, showValue } from './refusal.ts';

export type RawEvent = Readonly<Record<string, unknown>>;

export interface EventCollector {
  /** Takes an event; `written` gives it as it came, where it must be set aside. Fields that are none of the columns are counted. Never throws. */
  add(offset: bigint, event: RawEvent, written: () => Uint8Array | null): void;
  setAside(event: SetAsideEvent): void;
  /** Counts a field that a format leaves out of its events, for so many of them. */
  ignore(name: string, offset: bigint, events: number): void;
  finish(): DecodedEvents;
}

interface EventColumn {
  readonly name: string;
  readonly read: ReadValue;
  /** What every object has under that name. */
  readonly isInherited: boolean;
}

/** Compiles the columns of a source once; each call of what it gives begins a new collection. */
export function compileCollector(source: SourceDocument, isText: boolean): () => EventCollector {
  const columns = compileColumns(source, isText);
  const names = new Set(columns.map(({ name }) => name));
  return () => collect(columns, names);
}

function collect(columns: readonly EventColumn[], names: ReadonlySet<string>): EventCollector {
  const values: LiteralValue[][] = columns.map(() => []);
  const row: LiteralValue[] = columns.map(() => null);
  const offsets: bigint[] = [];
  const setAside: SetAsideEvent[] = [];
  const ignored = countIgnoredFields();

  /** Into `row`; the reason where a value does not fit. */
  function readRow(event: RawEvent): string | undefined {
    for (let at = 0; at < columns.length; at++) {
      const { name, read, isInherited } = columns[at] as EventColumn;
      const raw = isInherited && !Object.hasOwn(event, name) ? undefined : event[name];
      const value = raw === null || raw === undefined ? null : read(raw);
      if (value instanceof Refusal) return `column "${name}": ${value.reason}`;
      // The event time is the first of the columns.
      if (at === 0 && value === null) {
        const what = raw === null ? 'null' : 'missing';
        return `column "${name}": the event time is ${what}; every event needs one`;
      }
      row[at] = value;
    }
    return undefined;
  }

  return {
    add(offset, event, written) {
      for (const name in event) if (!names.has(name)) ignored.add(name, offset, 1);
      let reason: string | undefined;
      try {
        reason = readRow(event);
      } catch (error) {
        reason = `it could not be read: ${asFeatureStoreError(error).message}`;
      }
      if (reason !== undefined) {
        setAside.push({ offset, reason, value: written() });
        return;
      }
      for (let at = 0; at < columns.length; at++) (values[at] as LiteralValue[]).push(row[at] as LiteralValue);
      offsets.push(offset);
    },
    setAside: (event) => setAside.push(event),
    ignore: ignored.add,
    finish: () => ({
      columns: Object.fromEntries(columns.map(({ name }, at) => [name, values[at] as LiteralValue[]])),
      offsets,
      setAside,
      ignored: ignored.read(),
    }),
  };
}

function compileColumns(source: SourceDocument, isText: boolean): readonly EventColumn[] {
  const time = compileReadTime(source);
  const compile = isText ? compileReadText : compileReadValue;
  const declared = (source.events?.columns ?? []).map(({ name, type, values }) => {
    const read = compile(parseValueType(type), time);
    return { name, read: values === undefined ? read : withVocabulary(read, values), isInherited: name in Object.prototype };
  });
  const name = source.eventTimestamp;
  return [{ name, read: time, isInherited: name in Object.prototype }, ...declared];
}

function withVocabulary(read: ReadValue, values: readonly string[]): ReadValue {
  const known = new Set<unknown>(values);
  return (raw) => {
    const value = read(raw);
    if (value instanceof Refusal || known.has(value)) return value;
    const near = didYouMean(String(value).slice(0, 100), values) || `; it knows ${listSome(values)}`;
    return new Refusal(`${showValue(value)} is not among its values${near}`);
  };
}

function listSome(values: readonly string[]): string {
  const some = values.slice(0, 5).map((value) => JSON.stringify(value));
  return values.length > some.length ? `${some.join(', ')} and ${values.length - some.length} more` : some.join(', ');
}
