import { describe, expect, it } from 'vitest';
import { openTicket, signTicket } from '../../src/serve/tickets.ts';

describe('tickets', () => {
  const ticket = signTicket('a secret of some length', { query: 'q', rows: 3 });

  it('give back what they were made of', () => {
    expect(openTicket('a secret of some length', ticket)).toEqual({ query: 'q', rows: 3 });
  });

  it('are refused when another deployment made them, or any byte of them was changed', () => {
    expect(() => openTicket('another secret, as long', ticket)).toThrow(/not made by this deployment/);
    for (let at = 0; at < ticket.length; at++) {
      const changed = Uint8Array.from(ticket);
      changed[at] = (changed[at] as number) ^ 1;
      expect(() => openTicket('a secret of some length', changed)).toThrow(/not made by this deployment/);
    }
    expect(() => openTicket('a secret of some length', new Uint8Array(0))).toThrow(/not made by this deployment/);
  });
});
