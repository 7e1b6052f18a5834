/** Code to read and to copy, in one language or another. */
import { useState } from 'react';
import { CopyButton } from './copy.tsx';
import { Block } from './scroll.tsx';

/** `samples`: name of the language -> text. */
export function Code({ samples }: { readonly samples: Readonly<Record<string, string>> }) {
  const names = Object.keys(samples);
  const [chosen, setChosen] = useState(names[0] ?? '');
  const text = samples[chosen] ?? '';
  return (
    <div className="code">
      <div className="buttons">
        <fieldset className="choice" aria-label="Language">
          {names.map((name) => (
            <button key={name} type="button" aria-pressed={name === chosen} onClick={() => setChosen(name)}>
              {name}
            </button>
          ))}
        </fieldset>
        <CopyButton key={chosen} text={text} />
      </div>
      <Block label={`Code for ${chosen}`} text={text} />
    </div>
  );
}
