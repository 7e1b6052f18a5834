/** What binding asks of the engine about statements, for tests that bind definitions without files. */
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { StatementTools } from '../../src/registry/bind/sql-source.ts';
import { openTestHistory } from './answer-with-engine.ts';

let history: ReturnType<typeof openTestHistory> | undefined;

const open = () => {
  history ??= openTestHistory(mkdtempSync(join(tmpdir(), 'statements-')));
  return history;
};

export const statementTools: StatementTools = {
  parseStatement: async (sql) => (await open()).parseStatement(sql),
  describeStatement: async (query) => (await open()).describeStatement(query),
};
