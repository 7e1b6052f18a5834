/** The tokens of a state: made, listed and revoked where the state is written. */
import { z } from 'zod';
import { FeatureStoreError } from '../errors.ts';
import type { StateReader, StateStore } from '../registry/state.ts';
import { scopes } from './scope.ts';
import { makeToken, type TokenRecord } from './token-record.ts';

/** What a new token is to be. */
export const tokenRequestSchema = z
  .strictObject({
    scopes: z.array(z.enum(scopes)).min(1).describe('What it may do; `admin` may do everything.'),
    description: z.string().max(200).optional().describe('Whom or what it is for.'),
    project: z.string().min(1).max(64).optional().describe('Only on a server of this project.'),
    views: z.array(z.string().min(1).max(64)).min(1).optional().describe('Only features of these views.'),
    expires_at: z.iso.datetime({ offset: true }).optional().describe('An ISO instant after which it is refused.'),
  })
  .meta({ id: 'token_request' });

export type TokenRequest = z.input<typeof tokenRequestSchema>;

/** A token as it is shown: without its hash. */
export type ShownToken = Omit<TokenRecord, 'hash'>;

export interface Tokens {
  /** Every token that was ever made, revoked ones included. */
  records(): readonly TokenRecord[];
  /** Makes a token; its text is in the answer and nowhere else. */
  create(request: TokenRequest): Promise<ShownToken & { readonly token: string }>;
  list(): readonly ShownToken[];
  /** Refuses the token from now on; NOT_FOUND where there is none of that id. */
  revoke(id: string): Promise<ShownToken>;
}

const key = 'access/tokens';

/** The tokens kept in a state; `onChange` is told all records after each change. */
export function openTokens(
  state: Pick<StateStore, 'readValue' | 'writeValue'>,
  onChange: (records: readonly TokenRecord[]) => void = () => {},
): Tokens {
  let writing: Promise<unknown> = Promise.resolve();

  /** One change at a time: each begins with what the last one wrote. */
  function change<T>(work: (records: readonly TokenRecord[]) => { records: readonly TokenRecord[]; answer: T }): Promise<T> {
    const run = writing.then(async () => {
      const { records, answer } = work(readTokens(state));
      await state.writeValue(key, records);
      onChange(records);
      return answer;
    });
    writing = run.catch(() => {});
    return run;
  }

  return {
    records: () => readTokens(state),
    create: async (request) => {
      const { expires_at, ...wanted } = parseRequest(request);
      const { id, token, hash } = makeToken();
      const expiry = expires_at === undefined ? {} : { expiresAt: new Date(expires_at).toISOString() };
      const record: TokenRecord = { id, hash, ...wanted, createdAt: new Date().toISOString(), ...expiry };
      return await change((records) => ({ records: [...records, record], answer: { ...withoutHash(record), token } }));
    },
    list: () => readTokens(state).map(withoutHash),
    revoke: (id) =>
      change((records) => {
        const found = records.find((record) => record.id === id);
        if (found === undefined) {
          throw new FeatureStoreError('NOT_FOUND', `there is no token "${id}"; token list shows their ids`, { details: { id } });
        }
        const revoked = { ...found, revokedAt: found.revokedAt ?? new Date().toISOString() };
        return { records: records.map((record) => (record === found ? revoked : record)), answer: withoutHash(revoked) };
      }),
  };
}

/** The records in a state, also one that another process writes. */
export function readTokens(state: Pick<StateReader, 'readValue'>): readonly TokenRecord[] {
  return (state.readValue(key) as readonly TokenRecord[] | undefined) ?? [];
}

function parseRequest(request: TokenRequest): z.output<typeof tokenRequestSchema> {
  const parsed = tokenRequestSchema.safeParse(request);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map(({ path, message }) => `${path.join('.') || 'the request'}: ${message}`);
  throw new FeatureStoreError('INVALID_ARGUMENT', `no token was made: ${problems.join('; ')}`, { details: { problems } });
}

function withoutHash({ hash: _, ...shown }: TokenRecord): ShownToken {
  return shown;
}
