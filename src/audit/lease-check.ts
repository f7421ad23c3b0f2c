import { judgeLease } from './judge-invariants.js';
import type { AuditLeases } from './audit-ports.js';
import type { Tally } from './audit-report.js';

interface Subject {
  readonly leases: AuditLeases;
  readonly signal: AbortSignal;
}

/** Judges the leases that are held; a lease that ended counts no longer, even if the store still has its row. */
export async function checkLeases({ leases, signal }: Subject, tally: Tally): Promise<void> {
  // Redis may list a key twice while its table grows.
  const reported = new Set<string>();
  let after: string | null = null;
  do {
    signal.throwIfAborted();
    const page = await leases.page(after);
    tally.judged(page.leases.length);
    for (const lease of page.leases) {
      const finding = judgeLease(lease);
      if (finding === undefined || reported.has(lease.place)) continue;
      reported.add(lease.place);
      tally.found(finding);
    }
    after = page.next;
  } while (after !== null);
}
