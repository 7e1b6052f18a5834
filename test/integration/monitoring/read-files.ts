/** The files that a platform engineer imports, and every expression in them. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';

export interface Alert {
  readonly alert: string;
  readonly expr: string;
  readonly labels: { readonly severity: string };
  readonly annotations: { readonly summary: string; readonly description: string };
}

export interface Panel {
  readonly id: number;
  readonly title: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly targets?: readonly { readonly refId: string; readonly expr: string; readonly legendFormat: string }[];
}

export interface Asking {
  readonly where: string;
  readonly expression: string;
  /** Labels of its result, as legends and summaries name them. */
  readonly shown: readonly string[];
}

const fileOf = (name: string) => fileURLToPath(new URL(`../../../docs/monitoring/${name}`, import.meta.url));
export const alertsPath = fileOf('alerts.yml');
const rules = parse(readFileSync(alertsPath, 'utf8')) as { groups: { rules: Alert[] }[] };
const dashboard = JSON.parse(readFileSync(fileOf('grafana.json'), 'utf8')) as {
  panels: Panel[];
  templating: { list: { definition?: string }[] };
};

export const alerts: readonly Alert[] = rules.groups.flatMap((group) => group.rules);
export const panels: readonly Panel[] = dashboard.panels;
/** `label_values(metric, label)`. */
export const variables: readonly string[] = dashboard.templating.list.flatMap(({ definition }) => definition ?? []);

export const askings: readonly Asking[] = [
  ...alerts.map(({ alert, expr, annotations }) => ({
    where: alert,
    expression: expr,
    shown: namesIn(`${annotations.summary} ${annotations.description}`, /\$labels\.(\w+)/g),
  })),
  ...panels.flatMap(({ title, targets = [] }) =>
    targets.map(({ refId, expr, legendFormat }) => ({
      where: `${title} ${refId}`,
      expression: expr,
      shown: namesIn(legendFormat, /\{\{(\w+)\}\}/g),
    })),
  ),
];

function namesIn(text: string, pattern: RegExp): readonly string[] {
  return [...text.matchAll(pattern)].map(([, name = '']) => name);
}
