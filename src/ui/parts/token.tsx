/** The token of this tab: asked for where the server wants one, never kept longer than the tab is open. */
import { type FormEvent, useRef, useSyncExternalStore } from 'react';
import { keepToken, readToken, watchToken } from '../api/call.ts';

export function TokenButton() {
  const dialog = useRef<HTMLDialogElement>(null);
  const token = useSyncExternalStore(watchToken, readToken);
  return (
    <>
      <button type="button" className="quiet" onClick={() => dialog.current?.showModal()}>
        {token === undefined ? 'Token' : 'Token set'}
      </button>
      <dialog ref={dialog} aria-labelledby="token-title">
        <h2 id="token-title">API token</h2>
        <TokenForm isSet={token !== undefined} done={() => dialog.current?.close()} />
      </dialog>
    </>
  );
}

/** `done` is called when there is nothing more to do in it. */
export function TokenForm({ isSet = false, done }: { readonly isSet?: boolean; readonly done?: () => void }) {
  const field = useRef<HTMLInputElement>(null);
  const keep = (event: FormEvent) => {
    event.preventDefault();
    const text = field.current?.value.trim() ?? '';
    if (text === '') return field.current?.focus();
    keepToken(text);
    if (field.current !== null) field.current.value = '';
    done?.();
  };
  const forget = () => {
    keepToken(undefined);
    done?.();
  };
  return (
    <form onSubmit={keep}>
      <label>
        Token
        <input ref={field} type="password" autoComplete="off" spellCheck={false} />
      </label>
      <p className="note">It is sent with each request of this tab, and forgotten when the tab is closed.</p>
      <div className="buttons">
        <button type="submit">Use this token</button>
        {isSet && (
          <button type="button" className="quiet" onClick={forget}>
            Forget it
          </button>
        )}
        {done && (
          <button type="button" className="quiet" onClick={done}>
            Close
          </button>
        )}
      </div>
    </form>
  );
}
