/** An expression over the columns of an event source, checked and typed: what is stored, and compiled for an engine. */
import type { ValueType } from '../../definitions/value-type.ts';

export type Expression = ColumnExpression | LiteralExpression | CallExpression;

export interface ColumnExpression {
  readonly kind: 'column';
  readonly name: string;
  readonly type: ValueType;
}

export interface LiteralExpression {
  readonly kind: 'literal';
  readonly type: ValueType;
  /** As encodeLiteral leaves it; null is a null of the type. */
  readonly value: null | boolean | number | string;
}

export interface CallExpression {
  readonly kind: 'call';
  /** A name of the published list, such as `+`, `in` or `starts_with`. */
  readonly name: string;
  readonly args: readonly Expression[];
  readonly type: ValueType;
}

/** What the text of an expression says before anything is known of columns and types. */
export type SqlNode =
  | { readonly kind: 'column'; readonly name: string }
  | { readonly kind: 'literal'; readonly literal: SqlLiteral }
  | { readonly kind: 'call'; readonly name: string; readonly args: readonly SqlNode[] }
  | { readonly kind: 'cast'; readonly arg: SqlNode; readonly type: ValueType };

export type SqlLiteral =
  | { readonly kind: 'null' }
  | { readonly kind: 'bool'; readonly value: boolean }
  | { readonly kind: 'string'; readonly value: string }
  | { readonly kind: 'integer'; readonly value: bigint }
  | { readonly kind: 'decimal'; readonly unscaled: bigint; readonly scale: number }
  | { readonly kind: 'float'; readonly value: number };
