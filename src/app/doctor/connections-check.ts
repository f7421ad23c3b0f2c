import type { ConnectionLimit, ConnectionUsage } from '../../adapters/postgres/connection-usage.js';
import type { Check } from '../../cli/command-context.js';

type Finding = Omit<Check, 'name'>;

interface Needed {
  /** `RTMANAGER_MAX_CONNECTIONS`. */
  readonly most: number;
  /** With which one process still goes on. */
  readonly least: number;
}

/** Whether the server has connections for one more process of this service. */
export function connectionsFinding({ limits, ours }: ConnectionUsage, { most, least }: Needed): Finding {
  const detail = `${limits.map(inWords).join('; ')}; ${ours} of them are of this service; each of its processes opens at most ${most} (RTMANAGER_MAX_CONNECTIONS)`;
  const tight = limits.find((limit) => limit.most - limit.used < least);
  if (tight === undefined) return { status: 'ok', detail };
  const free = Math.max(0, tight.most - tight.used);
  const lower = `lower RTMANAGER_MAX_CONNECTIONS of each process (${least} is the least)`;
  return {
    status: 'warn',
    detail: `${detail}; ${free} more are allowed, and one process needs ${least} at once`,
    advice:
      tight.most < least
        ? `raise ${tight.name} to ${most} for each process of this service`
        : `raise ${tight.name}, close other connections, or ${lower}; until then work is slower`,
  };
}

const inWords = ({ name, most, used }: ConnectionLimit): string => `${name}: ${used} of ${most} used`;
