/** What a server does for SQL sources: it runs each tick when its offset has passed, and those that came while no server was up. */
import { FeatureStoreError } from '../errors.ts';
import type { Materialize } from '../materialize/materialize.ts';
import { latestDueTick, type RunTicks } from '../materialize/run-ticks.ts';
import type { Logger } from '../observe.ts';
import { isBusy } from '../online/lease.ts';
import type { QueryDocument, RegistryDocument, SourceDocument } from '../registry/document.ts';
import { batchViewsOf } from '../registry/references.ts';

export interface TickScheduleParts {
  /** The definitions that are applied now. */
  registry(): RegistryDocument;
  readonly runTicks: RunTicks;
  readonly materialize: Materialize;
  /** Where the config says when views are materialized: those over a source whose tick ran are written at once. */
  readonly plan?: { readonly views?: readonly string[] };
  readonly logger: Logger;
  /** Microseconds since the epoch; default: the machine's clock. */
  nowUs?(): bigint;
}

export interface TickSchedule {
  /** Aborts what runs, and resolves when it has ended. */
  stop(): Promise<void>;
}

const lookMs = 1000;
/** After a failure: its cause is seldom gone a second later. */
const retryUs = 60_000_000n;

/** Starts; what fails is logged, and tried again a minute later. */
export function startTickSchedule(parts: TickScheduleParts): TickSchedule {
  const { registry, logger } = parts;
  const now = parts.nowUs ?? (() => BigInt(Date.now()) * 1000n);
  const stopping = new AbortController();
  /** By definition: the latest tick that is known to have run, or when one that failed is tried again. */
  const settled = new Map<string, { readonly tickUs?: bigint; readonly retryAtUs?: bigint }>();
  let running: Promise<void> | undefined;

  async function runDue(source: SourceDocument, query: QueryDocument): Promise<void> {
    const dueUs = latestDueTick(query, now());
    const known = settled.get(query.hash);
    if (known?.tickUs === dueUs || (known?.retryAtUs ?? 0n) > now()) return;
    try {
      const { ran } = await parts.runTicks({ source: source.name }, { signal: stopping.signal });
      settled.set(query.hash, { tickUs: dueUs });
      if (ran > 0) await materializeViews(source);
    } catch (error) {
      if (stopping.signal.aborted) return;
      settled.set(query.hash, { retryAtUs: now() + retryUs });
      logger.error(
        { source: source.name, error: String(error) },
        'a tick of an SQL source failed; it is tried again in a minute',
      );
    }
  }

  async function materializeViews(source: SourceDocument): Promise<void> {
    const { plan } = parts;
    if (plan === undefined) return;
    const views = batchViewsOf(registry())
      .filter((view) => view.source === source.name && (plan.views?.includes(view.name) ?? true))
      .map((view) => view.name);
    if (views.length === 0) return;
    try {
      await parts.materialize({ views }, { signal: stopping.signal });
    } catch (error) {
      if (stopping.signal.aborted) return;
      const message = isBusy(error) ? 'left to another process' : 'failed; the schedule tries again';
      logger.warn({ views, error: String(error) }, `materialization after a tick ${message}`);
    }
  }

  async function look(): Promise<void> {
    for (const source of registry().sources) {
      if (source.query !== undefined && !stopping.signal.aborted) await runDue(source, source.query);
    }
  }

  const timer = setInterval(() => {
    running ??= look().finally(() => {
      running = undefined;
    });
  }, lookMs);
  return {
    async stop() {
      clearInterval(timer);
      stopping.abort(new FeatureStoreError('UNAVAILABLE', 'the server is stopping'));
      await running;
    },
  };
}
