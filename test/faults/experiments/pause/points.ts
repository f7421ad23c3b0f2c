/** Where a worker is frozen: before and after each step, and with its removal sent but not yet arrived. */
import { createChanges } from '../../../support/changes.js';
import { type NamedPoint, POINTS } from '../../laboratory/points.js';
import { nowNs } from '../../laboratory/step-control.js';
import type { Site } from '../../laboratory/site.js';
import { isAbout } from '../../laboratory/game-history.js';

const ON_ITS_WAY: NamedPoint = {
  name: 'with the removal on its way',
  step: 'container remove',
  at: 'start',
  underLease: true,
};

const SENT_BEFORE = 'after the removal';

export const PAUSE_POINTS: readonly NamedPoint[] = POINTS.flatMap((point) =>
  point.name === SENT_BEFORE ? [ON_ITS_WAY, point] : [point],
);

export interface Freeze {
  /** Resolves when a worker is frozen there: which, and since when. */
  readonly carriedOut: () => Promise<{ readonly pid: number; readonly ns: number }>;
  /** Lets the held request continue; the worker itself stays frozen. */
  readonly letGo: () => void;
  readonly withdraw: () => void;
}

interface Concerned {
  readonly gameId: string;
  readonly containerId: string;
}

/** To be called before the cleanup is asked for. */
export function freezeAt(site: Site, point: NamedPoint, { gameId, containerId }: Concerned): Freeze {
  if (point === ON_ITS_WAY) return freezeBehindRemoval(site, containerId);
  // The settlement names its job alone, which has no id yet; nothing else runs at this site.
  const about = point.step === 'job settle' ? [] : [point.step.startsWith('container') ? containerId : gameId];
  const order = site.stepControl.order(point, 'SIGSTOP', ...about);
  return { carriedOut: () => order.carriedOut(), letGo: () => undefined, withdraw: order.withdraw };
}

/** The request arrives when the worker that sent it has been frozen for long. */
function freezeBehindRemoval({ engine, stepControl }: Site, containerId: string): Freeze {
  let letGo = (): void => undefined;
  const held = new Promise<void>((resolve) => (letGo = resolve));
  const changes = createChanges();
  let frozen: { readonly pid: number; readonly ns: number } | undefined;
  engine.hook({
    onRequest: async ({ method, url }) => {
      if (frozen !== undefined || method !== 'DELETE' || !url.includes(containerId)) return;
      const sender = stepControl
        .seen()
        .findLast((seen) => seen.step === 'container remove' && isAbout(seen, [containerId]));
      if (sender === undefined) return;
      process.kill(sender.pid, 'SIGSTOP');
      frozen = { pid: sender.pid, ns: nowNs() };
      changes.notify();
      await held;
    },
  });
  return {
    carriedOut: () =>
      changes.until(
        () => {
          if (frozen === undefined) throw new Error('no worker sent a removal');
          return frozen;
        },
        { withinMs: 120_000 },
      ),
    letGo: () => letGo(),
    withdraw: () => {
      engine.hook({});
      letGo();
    },
  };
}
