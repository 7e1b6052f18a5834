/** Sections of the config that the doors of the server have: addresses, limits, TLS. */
import { z } from 'zod';

export const directory = z
  .string()
  .min(1)
  .refine(
    (path) => !path.includes('://'),
    'is a URL, and only a path is possible: of this machine, or of a file system that every server mounts, such as "/mnt/shared/featherflight"',
  );
export const size = z.string().regex(/^\d+(\.\d+)?\s*[KMGT]i?B$/i, 'is a size such as "4GB" or "512MiB"');
export const host = z.string().min(1);
export const port = z.int().min(0).max(65_535);
export const count = z.int().min(1);
/** Timers take no more than 2^31 - 1 ms. */
export const longestTimerSeconds = 2_147_483;

export const limitsSchema = z.strictObject({
  /** Queries that run at once; the others wait in turn. */
  maxConcurrentQueries: count.default(2),
  /** Queries that wait; one more is refused with RESOURCE_EXHAUSTED. */
  maxQueuedQueries: z.int().min(0).default(128),
  /** Queries of one token, running and waiting; callers without a token share one. */
  maxQueriesPerToken: count.default(64),
  /** Seconds after which a query is stopped, waiting included. */
  queryTimeoutSeconds: z.number().positive().max(longestTimerSeconds).default(3600),
  /** Bytes of one upload (an entity frame). */
  maxUploadBytes: count.default(16 * 2 ** 30),
  /** Bytes of all uploads kept at once. */
  maxStoredUploadBytes: count.default(64 * 2 ** 30),
  /** Bytes of one received message: a frame may be a single record batch. */
  maxMessageBytes: z
    .int()
    .min(65_536)
    .max(2 ** 31 - 1)
    .default(2 ** 31 - 1),
  /** Seconds that running calls get to finish when the server stops. */
  drainSeconds: z.number().min(0).max(longestTimerSeconds).default(30),
});

export const httpSchema = z.strictObject({
  host: host.default('127.0.0.1'),
  port: port.default(6566),
  /** Milliseconds after which a request is given up; materializing and applying take as long as they take. */
  timeoutMs: count.max(longestTimerSeconds * 1000).default(30_000),
  /** Bytes of the body of one request. */
  maxBodyBytes: count.default(16 * 2 ** 20),
  /** Rows that one request may ask for or bring. */
  maxRows: count.default(10_000),
  /** Requests that are answered at once; one more is told to come back. */
  maxConcurrentRequests: count.default(256),
  /** Levels of arrays and objects in the body of a request. */
  maxJsonDepth: count.max(1_000).default(32),
  /** Seconds that running requests get to finish when the server stops. */
  drainSeconds: z.number().min(0).max(longestTimerSeconds).default(10),
});

export const tlsSchema = z.strictObject({
  /** PEM file of the server's certificate, and those between it and its authority. */
  cert: directory,
  /** PEM file of its key. */
  key: directory,
  /** PEM file of an authority: clients must then show a certificate that it signed. */
  clientCa: directory.optional(),
});
