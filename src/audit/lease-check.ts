import { judgeLease } from './judge-invariants.js';
import type { AuditLeases } from './audit-ports.js';
import type { Tally } from './audit-report.js';

interface Subject {
  readonly leases: AuditLeases;
  readonly signal: AbortSignal;
}

/** A lease that ended is no lease, whatever is left of it. */
export async function checkLeases({ leases, signal }: Subject, tally: Tally): Promise<void> {
  // Redis may tell of a key twice while its table grows.
  const told = new Set<string>();
  let after: string | null = null;
  do {
    signal.throwIfAborted();
    const page = await leases.page(after);
    tally.judged(page.leases.length);
    for (const lease of page.leases) {
      const finding = judgeLease(lease);
      if (finding === undefined || told.has(lease.place)) continue;
      told.add(lease.place);
      tally.found(finding);
    }
    after = page.next;
  } while (after !== null);
}
