/** Failures of Kafka's client: which of them mend themselves, and what is said of each. */
import { asFeatureStoreError, type ErrorCode, FeatureStoreError } from '../../errors.ts';

interface Failure {
  readonly name: string;
  readonly message: string;
  /** The protocol's name of the error. */
  readonly type: string | undefined;
}

const refusals: Readonly<Record<string, ErrorCode>> = {
  SASL_AUTHENTICATION_FAILED: 'UNAUTHENTICATED',
  UNSUPPORTED_SASL_MECHANISM: 'UNAUTHENTICATED',
  ILLEGAL_SASL_STATE: 'UNAUTHENTICATED',
  TOPIC_AUTHORIZATION_FAILED: 'PERMISSION_DENIED',
  GROUP_AUTHORIZATION_FAILED: 'PERMISSION_DENIED',
  CLUSTER_AUTHORIZATION_FAILED: 'PERMISSION_DENIED',
  INVALID_TOPIC_EXCEPTION: 'INVALID_ARGUMENT',
  INVALID_GROUP_ID: 'INVALID_ARGUMENT',
  INCONSISTENT_GROUP_PROTOCOL: 'FAILED_PRECONDITION',
  INVALID_SESSION_TIMEOUT: 'FAILED_PRECONDITION',
};

/** Errors of the reader after which it may be asked again where to read. */
const passingCodes: readonly ErrorCode[] = ['UNAVAILABLE', 'ABORTED', 'DEADLINE_EXCEEDED'];

/** What stops the source that `log` names, undefined for what trying again may mend. */
export function lastingFailure(log: string, thrown: unknown): FeatureStoreError | undefined {
  if (thrown instanceof FeatureStoreError) return passingCodes.includes(thrown.code) ? undefined : thrown;
  for (const { name, message, type } of causesOf(thrown)) {
    const code = codeOf(name, type);
    if (code !== undefined) return new FeatureStoreError(code, `${log}: ${adviceOf(code, message)}`, { cause: thrown });
  }
  return undefined;
}

/** Why a log cannot be read now. */
export function passingReason(topic: string, thrown: unknown): string {
  if (thrown instanceof FeatureStoreError) return thrown.message;
  const causes = causesOf(thrown);
  if (causes.some(({ type }) => type === 'UNKNOWN_TOPIC_OR_PARTITION')) return `there is no topic "${topic}"`;
  return causes.at(-1)?.message ?? asFeatureStoreError(thrown).message;
}

function codeOf(name: string, type: string | undefined): ErrorCode | undefined {
  if (name === 'KafkaJSSASLAuthenticationError') return 'UNAUTHENTICATED';
  if (name === 'KafkaJSNotImplemented' || name === 'KafkaJSServerDoesNotSupportApiKey') return 'UNIMPLEMENTED';
  return type === undefined ? undefined : refusals[type];
}

function adviceOf(code: ErrorCode, message: string): string {
  if (code === 'UNAUTHENTICATED') return `the broker refuses user or password (${message}); see sasl of the stream`;
  if (code === 'PERMISSION_DENIED') return `the broker does not let this user read (${message})`;
  return message;
}

/** The failure and what lies beneath it. */
function causesOf(thrown: unknown): readonly Failure[] {
  const found: Failure[] = [];
  for (
    let at = thrown;
    at instanceof Error && found.length < 10;
    at = at.cause ?? (at as { originalError?: unknown }).originalError
  ) {
    const { type } = at as { type?: unknown };
    found.push({ name: at.name, message: at.message, type: typeof type === 'string' ? type : undefined });
  }
  return found;
}
