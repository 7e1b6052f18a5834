/** How many events of a history count nowhere, and why (rule 6.1). */
import type { SourceDocument } from '../../registry/document.ts';
import type { Session } from '../duckdb/engine.ts';
import type { InvalidEvents } from '../projection/manifest.ts';
import { compileAllEvents, compileValid, listInvalidities } from '../windows/compile-events.ts';

/** `parts` as bindEventParts gives them. Of events with equal ids each is counted. */
export async function countInvalid(session: Session, source: SourceDocument, parts: readonly string[]): Promise<InvalidEvents> {
  const reasons = listInvalidities(source);
  const counts = reasons.map(({ condition }, at) => `count(*) filter (where ${condition}) as r${at}`);
  const all = `count(*) filter (where (${compileValid(source)}) is not true) as invalid`;
  const [row = {}] = await session.rows(`select ${[all, ...counts].join(', ')} from ${compileAllEvents(source, parts)}`);
  const found = reasons.map(({ reason, column }, at) => ({ reason, column, events: Number(row[`r${at}`]) }));
  return { events: Number(row.invalid), reasons: found.filter(({ events }) => events > 0) };
}
