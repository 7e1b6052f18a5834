/** Tickets: what a client redeems at DoGet, signed so that only this deployment can have made them. */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { FeatureStoreError } from '../errors.ts';

/** `payload.signature`, both base64url: a JSON value and its HMAC-SHA256 under the deployment's secret. */
export function signTicket(secret: string, content: unknown): Uint8Array {
  const payload = Buffer.from(JSON.stringify(content)).toString('base64url');
  return Buffer.from(`${payload}.${signature(secret, payload)}`);
}

/** The content of a ticket; INVALID_ARGUMENT if it is none of ours. */
export function openTicket(secret: string, ticket: Uint8Array): unknown {
  const [payload = '', given = '', ...more] = Buffer.from(ticket).toString('latin1').split('.');
  const expected = Buffer.from(signature(secret, payload));
  const actual = Buffer.from(given);
  if (more.length > 0 || actual.length !== expected.length || !timingSafeEqual(actual, expected)) {
    throw new FeatureStoreError(
      'INVALID_ARGUMENT',
      'this ticket was not made by this deployment, or it was changed; ask GetFlightInfo for a new one',
    );
  }
  return JSON.parse(Buffer.from(payload, 'base64url').toString('utf8'));
}

function signature(secret: string, payload: string): string {
  return createHmac('sha256', secret).update(payload).digest('base64url');
}
