/** Code to read and to copy, in one language or another. */
import { useState } from 'react';
import { Block } from './scroll.tsx';

/** `samples`: name of the language -> text. */
export function Code({ samples }: { readonly samples: Readonly<Record<string, string>> }) {
  const names = Object.keys(samples);
  const [chosen, setChosen] = useState(names[0] ?? '');
  const [said, setSaid] = useState('');
  const text = samples[chosen] ?? '';
  const copy = async () => {
    // Without TLS browsers give no clipboard, except to this very machine.
    const done = await navigator.clipboard?.writeText(text).then(
      () => true,
      () => false,
    );
    setSaid(done ? 'Copied' : 'The browser forbids copying here: select the text');
  };
  return (
    <div className="code">
      <div className="buttons">
        <fieldset className="choice" aria-label="Language">
          {names.map((name) => (
            <button
              key={name}
              type="button"
              aria-pressed={name === chosen}
              onClick={() => {
                setChosen(name);
                setSaid('');
              }}
            >
              {name}
            </button>
          ))}
        </fieldset>
        <button type="button" className="quiet" onClick={copy}>
          Copy
        </button>
        <span className="note" role="status">
          {said}
        </span>
      </div>
      <Block label={`Code for ${chosen}`} text={text} />
    </div>
  );
}
