/** Code that reads features, ready to paste. */

export interface SampleRequest {
  readonly service?: string;
  readonly features?: readonly string[];
  /** Columns of keys and of the request -> their types. */
  readonly keys: Readonly<Record<string, string>>;
  readonly request: Readonly<Record<string, string>>;
}

export function writeSamples(sample: SampleRequest): Readonly<Record<string, string>> {
  return { Python: writePython(sample), Node: writeNode(sample) };
}

function writePython({ service, features, keys, request }: SampleRequest): string {
  const asked = service === undefined ? `[${listed(features ?? [], '')}]` : JSON.stringify(service);
  const given = (columns: Readonly<Record<string, string>>) =>
    `{${Object.entries(columns)
      .map(([name, type]) => `${JSON.stringify(name)}: [${pythonValue(type)}]`)
      .join(', ')}}`;
  const columns = [...Object.keys(keys), ...Object.keys(request), 'event_timestamp'].join(', ');
  const more = Object.keys(request).length === 0 ? '' : `, request=${given(request)}`;
  return `import featherflight as ff

store = ff.connect()
features = ${asked}

# Training: entity_df has the columns ${columns}
training = store.get_historical_features(entity_df, features=features).to_pandas()

# Serving
online = store.get_online_features(features=features, entities=${given(keys)}${more}).to_dict()
`;
}

function writeNode({ service, features, keys, request }: SampleRequest): string {
  const asked = service === undefined ? `features: [${listed(features ?? [], '  ')}]` : `service: ${quoted(service)}`;
  const given = (columns: Readonly<Record<string, string>>) =>
    `{ ${Object.entries(columns)
      .map(([name, type]) => `${/^\w+$/.test(name) ? name : quoted(name)}: [${nodeValue(type)}]`)
      .join(', ')} }`;
  const more = Object.keys(request).length === 0 ? '' : `\n  request: ${given(request)},`;
  return `import { FeatherflightClient } from 'featherflight/client';

const client = new FeatherflightClient({ url: ${quoted(location.origin)} });
const answer = await client.getOnlineFeatures({
  ${asked},
  entities: ${given(keys)},${more}
});
console.log(answer.rows());
`;
}

function listed(names: readonly string[], indent: string): string {
  return `\n${names.map((name) => `${indent}    ${JSON.stringify(name)},`).join('\n')}\n${indent}`;
}

function quoted(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}

function pythonValue(type: string): string {
  if (type.startsWith('int')) return '42';
  if (type.startsWith('float')) return '0.5';
  return type === 'bool' ? 'True' : '"…"';
}

function nodeValue(type: string): string {
  if (type === 'int64') return '42n';
  if (type === 'int32') return '42';
  if (type.startsWith('float')) return '0.5';
  return type === 'bool' ? 'true' : "'…'";
}
