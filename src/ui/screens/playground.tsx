/** One entity: what is served of it now, what training gets for it now, and what each value is made of. */
import { type FormEvent, useState } from 'react';
import { CallError } from '../api/call.ts';
import { type Catalogue, readCatalogue } from '../api/catalogue.ts';
import { type Explanation, explain, lookUp, type OnlineAnswer, type OnlineRequest } from '../api/online.ts';
import { asCallError, useAnswer } from '../api/use-answer.ts';
import { askedOf } from '../parts/asked.ts';
import { replaceQuery, useRoute } from '../parts/route.ts';
import { Empty, Failure, Told, Waiting } from '../parts/told.tsx';
import { parseTyped } from '../parts/typed.ts';
import { Explained } from './playground-explained.tsx';
import { Online } from './playground-online.tsx';

export function Playground() {
  const answer = useAnswer('catalogue', readCatalogue);
  return (
    <>
      <h1>Playground</h1>
      <p className="lead">Look an entity up online, compute it again from history, and see what each value is made of.</p>
      <Told answer={answer}>
        {(catalogue) =>
          catalogue.views.length === 0 ? <Empty title="There is no view to ask for yet" /> : <Chosen catalogue={catalogue} />
        }
      </Told>
    </>
  );
}

function Chosen({ catalogue }: { readonly catalogue: Catalogue }) {
  const { query } = useRoute();
  const options = [
    ...catalogue.services.map(({ name }) => `service ${name}`),
    ...catalogue.views.map(({ name }) => `view ${name}`),
  ];
  const [service, view] = [query.get('service'), query.get('view')];
  const wanted = service !== null ? `service ${service}` : `view ${view}`;
  const chosen = options.includes(wanted) ? wanted : (options[0] as string);
  const choose = (option: string) => {
    const [kind = '', name = ''] = option.split(' ', 2);
    replaceQuery({ service: '', view: '', [kind]: name });
  };
  return (
    <>
      <div className="row">
        <label>
          Ask for
          <select value={chosen} onChange={(event) => choose(event.target.value)}>
            {options.map((option) => (
              <option key={option}>{option}</option>
            ))}
          </select>
        </label>
      </div>
      <Ask key={chosen} catalogue={catalogue} chosen={chosen} />
    </>
  );
}

type Shown =
  | { readonly kind: 'waiting' }
  | { readonly kind: 'refused'; readonly error: CallError }
  | { readonly kind: 'online'; readonly answer: OnlineAnswer }
  | { readonly kind: 'explained'; readonly answer: Explanation };

function Ask({ catalogue, chosen }: { readonly catalogue: Catalogue; readonly chosen: string }) {
  const [kind, name] = chosen.split(' ', 2);
  const asked = askedOf(catalogue, kind === 'service' ? { service: name } : { view: name });
  const [shown, setShown] = useState<Shown>();
  const ask = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const how = (event.nativeEvent as SubmitEvent).submitter?.getAttribute('value');
    const read = async (): Promise<Shown> => {
      const columns = (of: Readonly<Record<string, string>>) =>
        Object.fromEntries(
          Object.entries(of).map(([column, type]) => [column, [parseTyped(column, type, String(form.get(column) ?? ''))]]),
        );
      const features = kind === 'service' ? { service: name } : { features: asked.features };
      const request: OnlineRequest = { ...features, entities: columns(asked.keys), request: columns(asked.request) };
      if (how === 'explain') return { kind: 'explained', answer: await explain(request) };
      return { kind: 'online', answer: await lookUp(request) };
    };
    setShown({ kind: 'waiting' });
    read().then(setShown, (error: unknown) =>
      setShown({
        kind: 'refused',
        error: error instanceof TypeError ? new CallError('INVALID_ARGUMENT', error.message) : asCallError(error),
      }),
    );
  };
  return (
    <>
      <form onSubmit={ask}>
        <div className="form-grid">
          <Fields of={asked.keys} what="key" />
          <Fields of={asked.request} what="of the request" />
        </div>
        <div className="buttons">
          <button type="submit" value="online">
            Look up online
          </button>
          <button type="submit" className="second" value="explain">
            Recompute and explain
          </button>
        </div>
      </form>
      <div aria-live="polite">
        {shown?.kind === 'waiting' && <Waiting />}
        {shown?.kind === 'refused' && <Failure error={shown.error} />}
        {shown?.kind === 'online' && <Online answer={shown.answer} />}
        {shown?.kind === 'explained' && <Explained answer={shown.answer} />}
      </div>
    </>
  );
}

function Fields({ of, what }: { readonly of: Readonly<Record<string, string>>; readonly what: string }) {
  return Object.entries(of).map(([name, type]) => (
    <label key={name}>
      {name} <span className="note">{`${type}, ${what}`}</span>
      <input name={name} autoComplete="off" spellCheck={false} inputMode={/^(int|float)/.test(type) ? 'decimal' : 'text'} />
    </label>
  ));
}
