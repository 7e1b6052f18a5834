/** What scrolls in itself where the screen is narrower, and may be reached with the keyboard. */
import type { ReactNode } from 'react';

export interface ScrollProps {
  readonly label: string;
  readonly className?: string;
  readonly children: ReactNode;
}

export function Scroll({ label, className = '', children }: ScrollProps) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached without a mouse
    <section className={`scroll ${className}`} aria-label={label} tabIndex={0}>
      {children}
    </section>
  );
}

/** Text as it is written, line by line. */
export function Block({ label, text }: { readonly label: string; readonly text: string }) {
  return (
    <Scroll label={label}>
      <pre>
        <code>{text}</code>
      </pre>
    </Scroll>
  );
}
