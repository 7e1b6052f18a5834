/** Leak audits of frames that clients have uploaded or named. */
import { randomUUID } from 'node:crypto';
import type { Config } from '../config.ts';
import { FeatureStoreError } from '../errors.ts';
import { viewsAudited } from '../http/resources/validate-leaks.ts';
import type { History } from '../offline/history.ts';
import type { RegistryDocument } from '../registry/document.ts';
import { type AuditedFrame, auditLeaks } from '../validate/leaks/audit-leaks.ts';
import type { LeakProgress, LeakReport } from '../validate/leaks/report.ts';
import { type LeakRequest, leakRequestSchema } from '../validate/leaks/request.ts';
import type { OnProgress } from '../validate/progress.ts';
import { type FrameParts, findFrame } from './entity-frame.ts';
import { createMemoryBudget, frameMemory } from './memory-budget.ts';
import { auditFolder } from './open-parts.ts';
import type { UploadStore } from './uploads.ts';
import type { Check } from './validations.ts';

export interface LeakAuditParts {
  readonly config: Pick<Config, 'state'>;
  readonly history: History;
  registry(): RegistryDocument;
}

export interface ServedLeakAuditParts extends LeakAuditParts {
  readonly config: Pick<Config, 'state' | 'root' | 'readable'>;
  readonly uploads: UploadStore;
}

const batchRows = 65_536;

/** Reads the members of a request; INVALID_ARGUMENT says what is wrong with them. */
export function parseLeakRequest(input: unknown): LeakRequest {
  const parsed = leakRequestSchema.safeParse(input);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map((issue) => `${issue.path.join('.') || 'the request'}: ${issue.message}`);
  throw new FeatureStoreError('INVALID_ARGUMENT', `validate leaks: ${problems.join('; ')}`, { details: { problems } });
}

/** Audits a frame that is at hand. */
export async function runLeakAudit(
  { config, history, registry }: LeakAuditParts,
  request: LeakRequest,
  frame: AuditedFrame,
  signal: AbortSignal,
  onProgress: OnProgress<LeakProgress>,
): Promise<LeakReport> {
  const parts = { history, registry: registry(), directory: auditFolder(config), signal, onProgress };
  const created = new Date().toISOString();
  return { id: randomUUID(), kind: 'leaks', created_at: created, ...(await auditLeaks(parts, request, frame)) };
}

/** Finds the frame that a request names, by `upload` or `path`, and audits it. */
export function createLeakAudit(parts: ServedLeakAuditParts): Check {
  const { config, history, registry, uploads } = parts;
  const { root, readable } = config;
  const frames: FrameParts = { uploads, engine: history.engine, root, readable, memory: createMemoryBudget(frameMemory) };
  return {
    async run(input, signal, onProgress) {
      const request = parseLeakRequest(input);
      const named = await findFrame(frames, request, 'validate leaks');
      try {
        const { schema, batches } = await named.open();
        const frame: AuditedFrame = { schema, batches: (until) => batches(batchRows, until) };
        return await runLeakAudit(parts, request, frame, signal, onProgress);
      } finally {
        await named.close();
      }
    },
    viewsOf: (input) => viewsAudited(registry(), parseLeakRequest(input)),
  };
}
