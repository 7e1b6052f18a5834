/** What Prometheus is told of the audit log: what of it could not be written. */
import { Counter, Gauge, type Registry } from 'prom-client';
import type { AuditCounts } from '../audit/audit.ts';

export interface AuditMetrics {
  watch(read: () => Promise<AuditCounts>): void;
}

export function createAuditMetrics(registry: Registry): AuditMetrics {
  const registers = [registry];
  let read: () => Promise<AuditCounts | undefined> = async () => undefined;
  // Beside a worker that is gone everything else is still told.
  const counts = () => read().catch(() => undefined);

  new Counter({
    name: 'featherflight_audit_lost_lines_total',
    help: 'Acts whose first line could not be written, which were refused, and those that were done and whose last line could not be',
    labelNames: ['act'],
    registers,
    async collect() {
      const found = await counts();
      this.reset();
      if (found === undefined) return;
      this.inc({ act: 'refused' }, found.refused);
      this.inc({ act: 'unfinished' }, found.unfinished);
    },
  });
  new Gauge({
    name: 'featherflight_audit_waiting_lines',
    help: 'Lines of counted acts that could not be written to the audit log yet',
    registers,
    async collect() {
      const found = await counts();
      this.reset();
      if (found !== undefined) this.set(found.waiting);
    },
  });
  return {
    watch(given) {
      read = given;
    },
  };
}
