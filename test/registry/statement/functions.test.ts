/** What a statement may call is what the page says, and every name of it is one that the engine has. */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { aggregates, orderedAggregates, statementFunctions, windowFunctions } from '../../../src/registry/statement/functions.ts';
import { statementTools } from '../../support/statement-tools.ts';

const named = [...aggregates, ...orderedAggregates, ...windowFunctions, ...statementFunctions];

it('docs/concepts/sql-sources.md names every function beside the published list', () => {
  const page = readFileSync('docs/concepts/sql-sources.md', 'utf8');
  // Two names of one function stand for each other.
  const twins = ['stddev_samp', 'var_samp'];
  for (const name of named.filter((each) => !twins.includes(each))) expect(page, name).toContain(`\`${name}\``);
});

it.each(named)('%s can be called', async (name) => {
  const twice = ['covar_samp', 'covar_pop', 'corr'];
  const column = ['bool_and', 'bool_or'].includes(name) ? 'x > 1' : 'x';
  const call = statementFunctions.includes(name)
    ? `${name}(x)`
    : windowFunctions.includes(name)
      ? `${name}(${argumentsOf(name)}) over (order by x)`
      : orderedAggregates.includes(name)
        ? `${name}(cast(x as varchar)${name === 'string_agg' ? ", ','" : ''} order by x)`
        : `${name}(${twice.includes(name) ? 'x, x' : column}${name.startsWith('quantile') ? ', 0.5' : ''})`;
  const inputs = [{ source: 'numbers', columns: [{ name: 'x', type: 'float64' }] }];
  const columns = await statementTools.describeStatement({ sql: `select ${call} as y from numbers`, usesTick: false, inputs });
  expect(columns).toHaveLength(1);
});

function argumentsOf(name: string): string {
  if (name === 'ntile') return '4';
  if (name === 'nth_value') return 'x, 2';
  return ['lag', 'lead', 'first_value', 'last_value'].includes(name) ? 'x' : '';
}
