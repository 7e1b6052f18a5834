/** A button that copies a text, and says whether it could. */
import { useState } from 'react';

/** `what` is told to readers of the screen, where more than one thing can be copied. */
export function CopyButton({ text, what }: { readonly text: string; readonly what?: string }) {
  const [said, setSaid] = useState('');
  const copy = async () => {
    // Without TLS browsers give no clipboard, except to this very machine.
    const done = await navigator.clipboard?.writeText(text).then(
      () => true,
      () => false,
    );
    setSaid(done ? 'Copied' : 'The browser forbids copying here: select the text');
  };
  return (
    <>
      <button type="button" className="quiet" onClick={copy}>
        Copy{what !== undefined && <span className="for-readers"> {what}</span>}
      </button>
      <span className="note" role="status">
        {said}
      </span>
    </>
  );
}
