/** What stands where there is nothing to show: it is still being read, it was refused, or there is none. */
import type { ReactNode } from 'react';
import type { CallError } from '../api/call.ts';
import type { Answered } from '../api/use-answer.ts';
import { href } from './route.ts';
import { TokenForm } from './token.tsx';

/** Shows what was answered, or why there is nothing. */
export function Told<T>({ answer, children }: { readonly answer: Answered<T>; readonly children: (data: T) => ReactNode }) {
  if (answer.error !== undefined) return <Failure error={answer.error} reload={answer.reload} />;
  if (answer.data === undefined) return <Waiting />;
  return children(answer.data);
}

export function Waiting() {
  return (
    <p className="note" role="status">
      Reading…
    </p>
  );
}

const titles: Readonly<Record<string, string>> = {
  UNAUTHENTICATED: 'A token is needed',
  PERMISSION_DENIED: 'Your token may not see this',
  NOT_FOUND: 'There is no such thing',
  UNREACHABLE: 'The server does not answer',
};

export function Failure({ error, reload }: { readonly error: CallError; readonly reload?: () => void }) {
  return (
    <section className="told" role="alert">
      <h2>{titles[error.code] ?? 'This was refused'}</h2>
      <p>{error.message}</p>
      {error.code === 'UNAUTHENTICATED' && <TokenForm />}
      {error.code === 'PERMISSION_DENIED' && <p className="note">Ask who runs the server for a token with these rights.</p>}
      {reload !== undefined && error.code !== 'UNAUTHENTICATED' && (
        <button type="button" className="quiet" onClick={reload}>
          Try again
        </button>
      )}
    </section>
  );
}

/** Nothing is there, and what would put something there. */
export function Empty({ title, children }: { readonly title: string; readonly children?: ReactNode }) {
  return (
    <div className="told">
      <p className="told-title">{title}</p>
      {children}
    </div>
  );
}

export function Nowhere() {
  return (
    <>
      <h1>There is no such screen</h1>
      <p>
        See the <a href={href('catalogue')}>catalogue</a>.
      </p>
    </>
  );
}
