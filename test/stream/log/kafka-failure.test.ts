/** What stops a source, and what does not: the client's failures by name, whatever lies beneath them. */
import { describe, expect, it } from 'vitest';
import { FeatureStoreError } from '../../../src/errors.ts';
import { lastingFailure, passingReason } from '../../../src/stream/log/kafka-failure.ts';

function failure(name: string, type?: string, cause?: Error): Error {
  return Object.assign(new Error(`${name} happened`, { cause }), { name, type });
}

describe('a failure', () => {
  it.each([
    ['UNAUTHENTICATED', failure('KafkaJSSASLAuthenticationError')],
    [
      'UNAUTHENTICATED',
      failure('KafkaJSNumberOfRetriesExceeded', undefined, failure('KafkaJSProtocolError', 'SASL_AUTHENTICATION_FAILED')),
    ],
    ['PERMISSION_DENIED', failure('KafkaJSProtocolError', 'TOPIC_AUTHORIZATION_FAILED')],
    ['PERMISSION_DENIED', failure('KafkaJSProtocolError', 'GROUP_AUTHORIZATION_FAILED')],
    ['UNIMPLEMENTED', failure('KafkaJSNotImplemented')],
    ['DATA_LOSS', new FeatureStoreError('DATA_LOSS', 'the log is shorter')],
    ['INTERNAL', new FeatureStoreError('INTERNAL', 'a reader fails')],
  ])('stops the source as %s', (code, thrown) => {
    expect(lastingFailure('the log', thrown)?.code).toBe(code);
  });

  it.each([
    [failure('KafkaJSConnectionError'), 'KafkaJSConnectionError happened'],
    [
      failure('KafkaJSNumberOfRetriesExceeded', undefined, failure('KafkaJSProtocolError', 'UNKNOWN_TOPIC_OR_PARTITION')),
      'there is no topic "clicks"',
    ],
    [failure('KafkaJSNumberOfRetriesExceeded', undefined, failure('KafkaJSConnectionError')), 'KafkaJSConnectionError happened'],
    [new FeatureStoreError('UNAVAILABLE', 'the store is away'), 'the store is away'],
    [new FeatureStoreError('ABORTED', 'somebody else was faster'), 'somebody else was faster'],
  ])('is tried again: %s', (thrown, reason) => {
    expect(lastingFailure('the log', thrown)).toBeUndefined();
    expect(passingReason('clicks', thrown)).toBe(reason);
  });
});
