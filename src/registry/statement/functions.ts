/** What a statement may call beside the published list of expressions: SQL's aggregates and windows, and what entropies need. */

/** Aggregates whose result depends on the rows alone and not on their order. */
export const aggregates: readonly string[] = [
  'count',
  'sum',
  'avg',
  'min',
  'max',
  'bool_and',
  'bool_or',
  'stddev',
  'stddev_samp',
  'stddev_pop',
  'variance',
  'var_samp',
  'var_pop',
  'covar_samp',
  'covar_pop',
  'corr',
  'median',
  'quantile_cont',
  'quantile_disc',
];

/** Aggregates that are accepted with an order of their own: `array_agg(x order by y)`. */
export const orderedAggregates: readonly string[] = ['array_agg', 'string_agg'];

export const windowFunctions: readonly string[] = [
  'row_number',
  'rank',
  'dense_rank',
  'percent_rank',
  'cume_dist',
  'ntile',
  'lag',
  'lead',
  'first_value',
  'last_value',
  'nth_value',
];

/** Their last digit may differ between engines; a tick's rows are computed once, so that no two paths can differ by it. */
export const statementFunctions: readonly string[] = ['ln', 'exp'];

/** How DuckDB's tree names what is written otherwise. */
export const writtenNames: Readonly<Record<string, string>> = {
  '~~': 'like',
  '!~~': 'like',
  date_part: 'extract',
  ceiling: 'ceil',
  substr: 'substring',
  count_star: 'count',
  mean: 'avg',
  list: 'array_agg',
  listagg: 'string_agg',
  group_concat: 'string_agg',
  rank_dense: 'dense_rank',
};

/** What `interval 30 day` is in the tree. */
export const intervalFunctions: readonly string[] = [
  'to_years',
  'to_months',
  'to_weeks',
  'to_days',
  'to_hours',
  'to_minutes',
  'to_seconds',
];

/** Columns of these names that no table has are functions of the clock or the session to the engine. */
export const clockNames: readonly string[] = [
  'current_catalog',
  'current_date',
  'current_role',
  'current_schema',
  'current_time',
  'current_timestamp',
  'current_user',
  'localtime',
  'localtimestamp',
  'session_user',
  'user',
];

/** Functions of the list whose result is a whole number, so that a cast of it to an integer type rounds nothing. */
export const wholeFunctions: readonly string[] = [
  'count',
  'floor',
  'ceil',
  'length',
  'extract',
  'year',
  'month',
  'day',
  'hour',
  'minute',
  'isodow',
  'row_number',
  'rank',
  'dense_rank',
  'ntile',
];
