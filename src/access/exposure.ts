/** Safe by default: what listens beyond this machine needs tokens, or somebody who says in so many words that it does not. */
import { isIP } from 'node:net';
import { FeatureStoreError } from '../errors.ts';
import type { Logger } from '../observe.ts';

export interface Exposure {
  /** Which door, for messages, such as `http`. */
  readonly door: string;
  readonly host: string;
}

/** FAILED_PRECONDITION for a host that others reach while there are no tokens; with `insecure` a warning in the log. */
export function checkExposure(doors: readonly Exposure[], hasTokens: boolean, insecure: boolean, logger: Logger): void {
  if (hasTokens) return;
  for (const { door, host } of doors) {
    if (isLoopback(host)) continue;
    if (!insecure) {
      throw new FeatureStoreError(
        'FAILED_PRECONDITION',
        `${door}.host is ${host}, which other machines reach, and there is no token: make one with "featherflight token create", listen on 127.0.0.1, or set insecure: true in the config`,
        { details: { door, host } },
      );
    }
    logger.warn({ door, host }, 'insecure: everybody who reaches this address may read, write and apply');
  }
}

/** Whether only this machine reaches what listens there. A name other than localhost may stand for anything. */
export function isLoopback(host: string): boolean {
  const bare = host.replace(/^\[|\]$/g, '').toLowerCase();
  if (isIP(bare) === 4) return bare.startsWith('127.');
  if (isIP(bare) === 6) return bare === '::1' || bare.startsWith('::ffff:127.');
  return bare === 'localhost';
}
