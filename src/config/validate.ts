/** The section of the config that says what is kept of what is served. */
import { z } from 'zod';
import { cron } from './materialize.ts';
import { count, longestTimerSeconds, size } from './sections.ts';

const leastBytes = 16_000_000;

export const loggingSchema = z.strictObject({
  /** Share of keys of which everything that is served is logged, such as 0.05; 1 is all. */
  sample: z.number().gt(0, 'is above 0; without "logging" nothing is logged').max(1, 'is a share, at most 1'),
  /** The entity whose key decides, where a request has it; default: the first entity of the first view that the request looks up. */
  by: z.string().min(1).optional(),
  /** Most that the files of the log take on disk; the oldest go for new ones. */
  maxBytes: size.refine((text) => bytesOf(text) >= leastBytes, 'is at least "16MB"').default('1GB'),
  /** Seconds after which what was served is written. */
  flushSeconds: count.max(longestTimerSeconds).default(30),
});

const duration = z.string().regex(/^\d+[smhd]$/, 'is a duration such as "24h"');

const distance = z.number().min(0).optional();
const thresholds = z.strictObject({
  psi: distance,
  js: distance,
  ks: distance,
  mean: distance,
  null_rate: distance,
  default_rate: distance,
});

export const validateSchema = z.strictObject({
  /** Compares what was served, as the feature log has it, with what training gets. */
  parity: z
    .strictObject({
      schedule: cron,
      /** How far back each check looks. */
      from: duration.default('24h'),
      /** By `view:feature`, instead of those that the types have. */
      tolerances: z
        .record(z.string().min(3), z.strictObject({ relative: z.number().min(0), absolute: z.number().min(0).default(0) }))
        .default({}),
    })
    .optional(),
  /** Compares what was served with the period before. */
  drift: z
    .strictObject({
      schedule: cron,
      /** How long both periods are. */
      from: duration.default('24h'),
      /** By `view:feature`, what is too far, for checks that are asked for too. */
      thresholds: z.record(z.string().min(3), thresholds).default({}),
    })
    .optional(),
});

const period = z.string().regex(/^[1-9]\d*[smhd]$/, 'is a duration such as "5m"');

/** The watch over single features, which looks into the feature log. */
export const healthSchema = z.strictObject({
  every: period.default('1m'),
  /** How far back looks what is served now. */
  window: period.default('5m'),
  /** How far back looks what it is compared with. */
  history: period.default('24h'),
  /** Keys that a feature has in both at least, for anything to be said of it. */
  minKeys: count.default(50),
  /** How far the share of nulls may rise. */
  nullRate: z.number().gt(0).max(1).default(0.2),
});

const units: Readonly<Record<string, number>> = { K: 1, M: 2, G: 3, T: 4 };

/** Bytes of a size such as `4GB` (powers of 1000) or `512MiB` (powers of 1024). */
export function bytesOf(text: string): number {
  const [, number = '0', unit = '', binary = ''] = /^(\d+(?:\.\d+)?)\s*([KMGT])(i?)B$/i.exec(text) ?? [];
  return Math.floor(Number(number) * (binary === '' ? 1000 : 1024) ** (units[unit.toUpperCase()] ?? 0));
}
