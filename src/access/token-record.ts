/** A token as it is stored: everything but the secret, of which only the hash is kept. */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Scope } from './scope.ts';

export interface TokenRecord {
  /** Names the token to people; it is the middle of the token and no secret. */
  readonly id: string;
  /** sha256 of the whole token, in hexadecimal. */
  readonly hash: string;
  /** Whom or what it is for. */
  readonly description?: string;
  readonly scopes: readonly Scope[];
  /** Only on a server of this project; absent: of any. */
  readonly project?: string;
  /** Only features of these views; absent: of all. */
  readonly views?: readonly string[];
  /** ISO instants. */
  readonly createdAt: string;
  readonly expiresAt?: string;
  readonly revokedAt?: string;
}

const pattern = /^ff_([0-9a-f]{12})_[A-Za-z0-9_-]{43}$/;

/** A new token, `ff_ID_SECRET`, with 256 random bits. */
export function makeToken(): { readonly id: string; readonly token: string; readonly hash: string } {
  const id = randomBytes(6).toString('hex');
  const token = `ff_${id}_${randomBytes(32).toString('base64url')}`;
  return { id, token, hash: hashToken(token).toString('hex') };
}

/** The record whose token this is; undefined for anything else. What it takes does not tell how much of a secret is right. */
export function findToken(records: readonly TokenRecord[], token: string): TokenRecord | undefined {
  const id = pattern.exec(token)?.[1];
  const record = records.find((candidate) => candidate.id === id);
  const expected = record === undefined ? nobody : Buffer.from(record.hash, 'hex');
  return timingSafeEqual(hashToken(token), expected) ? record : undefined;
}

/** Who somebody with that token is to people: what it was made for; without tokens nobody in particular. */
export function readerOf(records: readonly TokenRecord[], id: string | undefined): string {
  if (id === undefined) return 'anonymous';
  return records.find((record) => record.id === id)?.description || id;
}

/** The hash of no token that anybody can find. */
const nobody = randomBytes(32);

function hashToken(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}
