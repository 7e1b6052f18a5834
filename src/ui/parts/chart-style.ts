/** How charts look, where the library writes it into elements. */

export const tooltipStyle = { border: '1px solid var(--line)', borderRadius: 8, background: 'var(--sheet)' } as const;
