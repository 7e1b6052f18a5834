/** What expressions of PromQL ask for, read by Prometheus' own grammar: metrics, and the labels that are asked of each. */
import * as promql from '@prometheus-io/lezer-promql';

export interface AskedMetric {
  readonly name: string;
  /** Those of matchers, of groupings and of vector matching that it must have. */
  readonly labels: ReadonlySet<string>;
}

type Node = ReturnType<ReturnType<typeof promql.parser.parse>['topNode']['getChildren']>[number];

/** Throws where the expression is not PromQL. Variables of Grafana such as `[$__rate_interval]` are read as five minutes. */
export function metricsAsked(expression: string): readonly AskedMetric[] {
  const text = expression.replaceAll('$__rate_interval', '5m');
  const tree = promql.parser.parse(text);
  const asked: { at: number; name: string; labels: Set<string> }[] = [];
  const textOf = (node: Node) => text.slice(node.from, node.to);

  tree.iterate({
    enter({ node, type }) {
      if (type.isError) throw new Error(`no PromQL at ${node.from}: ${expression}`);
      if (type.id !== promql.VectorSelector) return;
      const name = node.getChild(promql.Identifier);
      if (name === null) throw new Error(`a selector without a metric's name at ${node.from}: ${expression}`);
      const labels = new Set(within(node, [promql.LabelName]).map(textOf));
      asked.push({ at: node.from, name: textOf(name), labels });
    },
  });
  // A label that is grouped or matched by must come from every metric below.
  for (const node of within(tree.topNode, [promql.AggregateExpr, promql.BinaryExpr])) {
    const modifiers = [promql.AggregateModifier, promql.MatchingModifierClause].flatMap((kind) => node.getChildren(kind));
    const names = modifiers.flatMap((modifier) => within(modifier, [promql.LabelName])).map(textOf);
    for (const metric of asked) {
      if (metric.at < node.from || metric.at >= node.to) continue;
      for (const label of names) metric.labels.add(label);
    }
  }
  return asked.map(({ name, labels }) => ({ name, labels }));
}

/** All nodes of some kinds, the given one included. */
function within(node: Node, kinds: readonly number[]): readonly Node[] {
  const found: Node[] = [];
  node.cursor().iterate((at) => {
    if (kinds.includes(at.type.id)) found.push(at.node);
  });
  return found;
}

/** Metric -> labels that its samples have, of an answer in Prometheus' text format. */
export function readSamples(exposition: string): ReadonlyMap<string, ReadonlySet<string>> {
  const found = new Map<string, Set<string>>();
  for (const line of exposition.split('\n')) {
    const sample = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? \S+$/.exec(line);
    if (sample === null) continue;
    const [, name = '', labels = ''] = sample;
    const known = found.get(name) ?? new Set<string>();
    found.set(name, known);
    for (const [, label = ''] of labels.matchAll(/([a-zA-Z_]\w*)="(?:[^"\\]|\\.)*"/g)) known.add(label);
  }
  return found;
}
