/** What is around every screen: where one is, where one can go, the search, the token and the theme. */
import { type ReactNode, useEffect, useRef } from 'react';
import { href, useRoute } from './route.ts';
import { SearchForm } from './search.tsx';
import { ThemeButton } from './theme.tsx';
import { TokenButton } from './token.tsx';

const sections = [
  ['Overview', '', ['']],
  ['Catalogue', 'catalogue', ['catalogue', 'views', 'services', 'sources', 'entities']],
  ['Datasets', 'datasets', ['datasets']],
  ['Health', 'health', ['health']],
  ['Streams', 'streams', ['streams']],
  ['Reports', 'reports', ['reports']],
  ['Playground', 'playground', ['playground']],
] as const;

export function Shell({ section, children }: { readonly section: string; readonly children: ReactNode }) {
  const { parts } = useRoute();
  const main = useRef<HTMLElement>(null);
  const place = parts.join('/');
  const named = parts[2] === 'diff' ? `${parts[1]} and ${parts[3]}` : parts[1];
  const title = named ?? sections.find(([, , own]) => (own as readonly string[]).includes(section))?.[0] ?? 'Nowhere';
  useEffect(() => {
    document.title = `${title} · Featherflight`;
  }, [title]);
  const first = useRef(place);
  useEffect(() => {
    // A screen that was opened is where reading goes on; when the page opens, it begins at its top.
    if (first.current === place) return;
    first.current = '-';
    main.current?.focus({ preventScroll: true });
    scrollTo(0, 0);
  }, [place]);
  return (
    <>
      <button type="button" className="skip" onClick={() => main.current?.focus()}>
        Skip to the content
      </button>
      <header className="top">
        <a className="brand" href={href()}>
          Featherflight
        </a>
        <nav aria-label="Sections">
          {sections.map(([name, target, own]) => (
            <a
              key={name}
              href={target === '' ? '#/' : href(target)}
              aria-current={(own as readonly string[]).includes(section) ? 'page' : undefined}
            >
              {name}
            </a>
          ))}
        </nav>
        <SearchForm />
        <div className="actions">
          <TokenButton />
          <ThemeButton />
        </div>
      </header>
      <main ref={main} tabIndex={-1}>
        {children}
      </main>
    </>
  );
}
