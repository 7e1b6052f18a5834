/** Dark and light: the system's unless the reader chose, which this browser remembers. */
import { useState } from 'react';

const key = 'featherflight.theme';
type Theme = 'light' | 'dark';

export function restoreTheme(): void {
  const kept = localStorage.getItem(key);
  if (kept === 'light' || kept === 'dark') document.documentElement.dataset.theme = kept;
}

export function ThemeButton() {
  const [theme, setTheme] = useState(current);
  const other: Theme = theme === 'dark' ? 'light' : 'dark';
  const change = () => {
    document.documentElement.dataset.theme = other;
    localStorage.setItem(key, other);
    setTheme(other);
  };
  return (
    <button type="button" className="quiet" onClick={change} aria-label={`Use ${other} colours`}>
      {theme === 'dark' ? 'Light' : 'Dark'}
    </button>
  );
}

function current(): Theme {
  const chosen = document.documentElement.dataset.theme;
  if (chosen === 'dark' || chosen === 'light') return chosen;
  return matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light';
}
