/** The search of the header: leads to the catalogue, and filters it while one types there. */
import { type FormEvent, useEffect, useRef } from 'react';
import { href, replaceQuery, useRoute } from './route.ts';

export function SearchForm() {
  const { parts, query } = useRoute();
  const field = useRef<HTMLInputElement>(null);
  const inCatalogue = parts[0] === 'catalogue';
  const asked = inCatalogue ? (query.get('q') ?? '') : '';
  useEffect(() => {
    if (field.current !== null && document.activeElement !== field.current) field.current.value = asked;
  }, [asked]);
  useEffect(() => {
    const focus = (event: KeyboardEvent) => {
      if (event.key !== '/' || event.ctrlKey || event.metaKey || isField(event.target)) return;
      event.preventDefault();
      field.current?.focus();
    };
    addEventListener('keydown', focus);
    return () => removeEventListener('keydown', focus);
  }, []);
  const search = (event: FormEvent) => {
    event.preventDefault();
    const q = field.current?.value.trim() ?? '';
    if (inCatalogue) replaceQuery({ q });
    else location.hash = `${href('catalogue')}?${new URLSearchParams({ q })}`;
  };
  return (
    <search>
      <form onSubmit={search}>
        <input
          ref={field}
          type="search"
          defaultValue={asked}
          aria-label="Search the catalogue"
          placeholder="Search  ( / )"
          onChange={(event) => inCatalogue && replaceQuery({ q: event.target.value })}
        />
      </form>
    </search>
  );
}

function isField(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName);
}
