/** What the server has served since it started, out of the text that it writes for Prometheus. */
import { getText } from './call.ts';
import type { ViewRow } from './catalogue.ts';

export interface Served {
  /** Values by status. */
  readonly statuses: Readonly<Record<string, number>>;
  readonly values: number;
  readonly defaults: number;
  /** Seconds since the instant up to which the view is materialized. */
  readonly lagSeconds: number | undefined;
}

export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export async function readServed(view: string, signal: AbortSignal): Promise<Served> {
  const samples = parseSamples(await getText('metrics', signal)).filter(({ labels }) => labels.view === view);
  const named = (name: string) => samples.filter((sample) => sample.name === name);
  const statuses = Object.fromEntries(
    named('featherflight_online_values_total').map(({ labels, value }) => [labels.status ?? '', value]),
  );
  return {
    statuses,
    values: Object.values(statuses).reduce((sum, value) => sum + value, 0),
    defaults: named('featherflight_online_defaults_total')[0]?.value ?? 0,
    lagSeconds: named('featherflight_materialization_lag_seconds')[0]?.value,
  };
}

/** Batch views without any run of materialization. */
export async function readUnmaterialized(views: readonly ViewRow[], signal: AbortSignal): Promise<readonly string[]> {
  const lags = parseSamples(await getText('metrics', signal)).filter(
    ({ name }) => name === 'featherflight_materialization_lag_seconds',
  );
  const known = new Set(lags.map(({ labels }) => labels.view));
  return views.filter(({ kind, name }) => kind === 'batch' && !known.has(name)).map(({ name }) => name);
}

/** Lines such as `name{label="text"} 1.5`. */
export function parseSamples(text: string): readonly Sample[] {
  return text.split('\n').flatMap((line) => {
    const found = /^(\w+)(?:\{(.*)\})? (\S+)$/.exec(line);
    if (found === null) return [];
    const [, name = '', written = '', value = ''] = found;
    const labels = [...written.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(([, label = '', given = '']) => [
      label,
      given.replace(/\\(.)/g, (_, letter: string) => (letter === 'n' ? '\n' : letter)),
    ]);
    return [{ name, labels: Object.fromEntries(labels) as Record<string, string>, value: Number(value) }];
  });
}
