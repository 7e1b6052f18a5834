/** The registry document that applying a scenario's definitions would store. */
import { createHash } from 'node:crypto';
import { encodeLiteral, formatInstantUs } from '../../src/definitions/literal.ts';
import { formatValueType, type ValueType } from '../../src/definitions/value-type.ts';
import type {
  ColumnDocument,
  FeatureDocument,
  RegistryDocument,
  SourceDocument,
  TableDocument,
  ViewDocument,
} from '../../src/registry/document.ts';
import type { NaiveFeature } from './naive-join.ts';
import type { ScenarioSource, ScenarioView } from './scenario.ts';

const described = { tags: {}, file: 'features/scenario.ts' };

export function registryOf(sources: readonly SourceDocument[], views: readonly ViewDocument[]): RegistryDocument {
  return {
    format: 1,
    project: 'scenario',
    version: 1,
    appliedAt: '2026-03-10T12:00:00Z',
    entities: [],
    sources,
    views,
    services: [],
  };
}

export function sourceDocument(source: ScenarioSource, table: TableDocument, columns: readonly ColumnDocument[]): SourceDocument {
  return {
    ...described,
    name: source.name,
    kind: 'batch',
    table,
    eventTimestamp: source.event,
    createdTimestamp: source.created,
    availableAt: source.available,
    timezone: source.timezone,
    ambiguousTime: source.ambiguousTime,
    columns,
  };
}

export function viewDocument(view: ScenarioView, source: SourceDocument): ViewDocument {
  return {
    ...described,
    name: view.name,
    kind: 'batch',
    entities: view.keys.length === 0 ? [] : ['scenario'],
    source: view.source.name,
    keys: view.keys,
    ttl: view.ttl,
    delay: view.delay,
    asKnown: view.asKnown ?? false,
    features: view.features.map((feature) => featureDocument(feature, view, source)),
  };
}

function featureDocument(feature: NaiveFeature, view: ScenarioView, source: SourceDocument): FeatureDocument {
  const { name, column, type } = feature;
  const identity = JSON.stringify([type, column, view.keys, { ...source, columns: undefined }]);
  const document = { name, column, type: formatValueType(type), hash: createHash('sha256').update(identity).digest('hex') };
  if (feature.default === undefined) return document;
  if ('fitted' in feature.default) return { ...document, default: { fitted: feature.default.fitted } };
  return { ...document, default: { literal: encodeLiteral(type, asWritten(type, feature.default.literal)) } };
}

/** A value as a definition writes it: instants and dates as ISO text. */
function asWritten(type: ValueType, value: unknown): unknown {
  if (value === null) return null;
  if (type.kind === 'timestamp') return formatInstantUs(value as bigint);
  if (type.kind === 'date') return formatInstantUs(BigInt(value as number) * 86_400_000_000n).slice(0, 10);
  if (type.kind === 'list') return (value as unknown[]).map((item) => asWritten(type.element, item));
  return value;
}
