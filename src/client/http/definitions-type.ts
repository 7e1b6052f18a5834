/** The types that `featherflight types` writes, and what a request and its answer are by them. */
import type { LiteralValue } from '../../definitions/literal.ts';
import type { RequestColumns } from './encode-columns.ts';

interface Service {
  readonly entities: object;
  readonly request: object;
  readonly columns: object;
}

/** What is asked for where nothing is known of the definitions. */
export interface AnyDefinitions {
  readonly features: Readonly<Record<string, LiteralValue>>;
  readonly services: Readonly<
    Record<string, { entities: RequestColumns; request: RequestColumns; columns: Record<string, LiteralValue> }>
  >;
}

type ServiceOf<D, S> = D extends { services: infer All } ? (S extends keyof All ? Extract<All[S], Service> : never) : never;
export type ServiceName<D> = D extends { services: infer All } ? keyof All & string : string;
export type FeatureName<D> = D extends { features: infer All } ? keyof All & string : string;
export type ServiceColumns<D, S> = ServiceOf<D, S>['columns'];

type Columns<T> = { readonly [name in keyof T]: readonly (T[name] | null)[] };
type RequestOf<T> = keyof T extends never ? { readonly request?: Record<string, never> } : { readonly request: Columns<T> };

/** Entities and request values of a service, which must be there where it needs them. */
export type ServiceRequest<D, S> =
  string extends ServiceName<D>
    ? { readonly entities: RequestColumns; readonly request?: RequestColumns }
    : { readonly entities: Columns<ServiceOf<D, S>['entities']> } & RequestOf<ServiceOf<D, S>['request']>;

/** `view:feature` gives a column `feature`. */
type ColumnName<F> = F extends `${string}:${infer Name}` ? Name : never;
type ValueOf<D, F> = D extends { features: infer All } ? (F extends keyof All ? All[F] : never) : never;
export type FeatureColumns<D, F extends string> =
  string extends FeatureName<D> ? Record<string, LiteralValue> : { readonly [name in F as ColumnName<name>]: ValueOf<D, name> };
