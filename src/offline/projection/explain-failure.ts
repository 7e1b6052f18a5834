/** Why a source could not be read: errors that name the source, and the file that is to blame. */
import { asFeatureStoreError, FeatureStoreError } from '../../errors.ts';
import type { SourceDocument } from '../../registry/document.ts';
import { tablesOf } from '../../registry/source-tables.ts';
import type { Engine } from '../duckdb/engine.ts';
import { compileTable } from '../duckdb/table.ts';
import type { TableState } from '../source-state.ts';

/** The error that a reader of the source is told; reads the files one by one where DuckDB does not say which is broken. */
export async function explainFailure(
  engine: Engine,
  source: SourceDocument,
  state: TableState,
  signal: AbortSignal,
  error: unknown,
): Promise<FeatureStoreError> {
  return nameSource(error, source, await findBroken(engine, source, state, signal, error));
}

/** What DuckDB says of a source's files, with the names of the source and of the file, where one is to blame. */
function nameSource(error: unknown, source: SourceDocument, file: string | undefined): FeatureStoreError {
  const known = asFeatureStoreError(error);
  if (isAboutSource(known, source)) return known;
  const details = { source: source.name, ...(file === undefined ? {} : { file }) };
  if ((error as NodeJS.ErrnoException).code === 'ENOSPC') {
    const message = `there is no space left on the disk for the sorted copy of source "${source.name}"; free some under the state folder and ask again`;
    return new FeatureStoreError('RESOURCE_EXHAUSTED', message, { details, cause: error });
  }
  const code = known.code === 'INTERNAL' ? 'FAILED_PRECONDITION' : known.code;
  const what = file === undefined ? 'cannot be read' : `cannot be read, file "${file}" is broken (write it again)`;
  return new FeatureStoreError(code, `source "${source.name}" ${what}: ${known.message}`, { details, cause: error });
}

function isAboutSource(error: FeatureStoreError, source: SourceDocument): boolean {
  return error.details.source === source.name;
}

/** The first file that cannot be read by itself: DuckDB's errors do not always say which. */
async function findBroken(
  engine: Engine,
  source: SourceDocument,
  { byTable }: TableState,
  signal: AbortSignal,
  error: unknown,
): Promise<string | undefined> {
  const known = asFeatureStoreError(error);
  if (known.code !== 'FAILED_PRECONDITION' || isAboutSource(known, source)) return undefined;
  for (const [at, table] of tablesOf(source).entries()) {
    for (const { path, absolutePath } of byTable[at] ?? []) {
      const sql = `select bit_xor(hash(t)) from ${compileTable(table, [absolutePath], table.columns)} as t`;
      const read = engine.session(signal, (session) => session.rows(sql));
      const broken = await read.then(
        () => false,
        () => true,
      );
      if (broken) return path;
    }
  }
  return undefined;
}
