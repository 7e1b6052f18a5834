/** The applied definitions as TypeScript: what the Node client takes as its type argument. */
import { parseValueType, type ValueType } from '../definitions/value-type.ts';
import { FeatureStoreError } from '../errors.ts';

/** Rows of the catalogue, here or from a server. */
export type Row = Readonly<Record<string, unknown>>;

export interface Catalogue {
  readonly features: readonly Row[];
  readonly views: readonly Row[];
  readonly services: readonly Row[];
}

type Members = ReadonlyMap<string, string>;

/** One interface, `AppliedDefinitions`, in the order of the catalogue; int64 values as the client is made to give them. */
export function writeTypes({ features, views, services }: Catalogue, int64: 'bigint' | 'number'): string {
  const typeOf = new Map(features.map((row) => [String(row.name), parseValueType(String(row.type))]));
  const viewOf = new Map(views.map((row) => [String(row.name), row]));
  const all = new Map([...typeOf].map(([name, type]) => [name, givenType(type, int64)]));
  const written = services.map((service) => writeService(service, typeOf, viewOf, int64));
  return `/** Written by featherflight types; write it again after apply. */
export interface AppliedDefinitions {
  readonly features: ${writeMembers(all, '  ')};
  readonly services: {
${written.join('')}  };
}
`;
}

function writeService(
  service: Row,
  typeOf: ReadonlyMap<string, ValueType>,
  viewOf: ReadonlyMap<string, Row>,
  int64: 'bigint' | 'number',
): string {
  const entities = new Map<string, string>();
  const request = new Map<string, string>();
  const columns = new Map<string, string>();
  const renamed = (service.keys ?? {}) as Readonly<Record<string, Readonly<Record<string, string>>>>;
  for (const reference of service.features as readonly string[]) {
    const [, view = '', prefix, feature = ''] = /^([^@:]+)(?:@([^:]+))?:(.+)$/.exec(reference) ?? [];
    const type = typeOf.get(`${view}:${feature}`);
    const row = viewOf.get(view);
    if (type === undefined || row === undefined) {
      throw new FeatureStoreError(
        'INTERNAL',
        `service "${service.name}" names "${reference}", which the catalogue does not have`,
      );
    }
    columns.set(prefix === undefined ? feature : `${prefix}__${feature}`, givenType(type, int64));
    const keys = renamed[prefix ?? view] ?? {};
    for (const [key, of] of entriesOf(row.join_keys)) entities.set(keys[key] ?? key, takenType(parseValueType(of)));
    for (const [name, of] of entriesOf(row.request)) request.set(name, takenType(parseValueType(of)));
  }
  const indent = '      ';
  return `    readonly ${service.name}: {
${indent}readonly entities: ${writeMembers(entities, indent)};
${indent}readonly request: ${writeMembers(request, indent)};
${indent}readonly columns: ${writeMembers(columns, indent)};
    };
`;
}

function entriesOf(value: unknown): [string, string][] {
  return Object.entries((value ?? {}) as Record<string, string>);
}

function writeMembers(members: Members, indent: string): string {
  if (members.size === 0) return 'object';
  return `{\n${[...members].map(([name, type]) => `${indent}  readonly ${JSON.stringify(name)}: ${type};\n`).join('')}${indent}}`;
}

/** A value of an answer. */
function givenType(type: ValueType, int64: 'bigint' | 'number'): string {
  switch (type.kind) {
    case 'bool':
      return 'boolean';
    case 'int64':
      return int64;
    case 'timestamp':
      return 'bigint';
    case 'int32':
    case 'float32':
    case 'float64':
      return 'number';
    case 'bytes':
      return 'Uint8Array';
    case 'list':
      return `readonly (${givenType(type.element, int64)} | null)[]`;
    case 'vector':
      return 'readonly number[]';
    default:
      return 'string';
  }
}

/** A value of a request, which may be written in more ways than one. */
function takenType(type: ValueType): string {
  if (type.kind === 'int64' || type.kind === 'int32') return 'bigint | number';
  if (type.kind === 'timestamp') return 'Date | string';
  if (type.kind === 'list') return `readonly (${takenType(type.element)} | null)[]`;
  return givenType(type, 'bigint');
}
