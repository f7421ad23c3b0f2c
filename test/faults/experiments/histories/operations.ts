/** Carries out the operations of people and other services in a history, and records what the checks need. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { OperatorCommands } from '../../laboratory/operator-commands.js';
import type { Lifecycle } from '../../laboratory/lifecycle.js';
import type { OtherLeases } from '../../laboratory/other-leases.js';
import { nowNs } from '../../laboratory/step-control.js';
import type { Site } from '../../laboratory/site.js';
import type { Accepted, Game, Tenure } from './history.js';
import type { Operation, Service } from './schedule.js';

export interface Operations {
  /** Resolves to a short description of the result. */
  readonly perform: (operation: Operation) => Promise<string>;
  readonly accepted: () => readonly Accepted[];
  readonly purged: () => readonly string[];
}

/** The same leases; every span in which one was held is noted. */
export function noteTenures(leases: OtherLeases): {
  readonly leases: OtherLeases;
  readonly tenures: readonly Tenure[];
} {
  const tenures: Tenure[] = [];
  const since = new Map<string, Pick<Tenure, 'askedNs' | 'fromNs'>>();
  return {
    tenures,
    leases: {
      ...leases,
      take: async (gameId, ttlMs) => {
        const askedNs = nowNs();
        const token = await leases.take(gameId, ttlMs);
        if (token !== undefined) since.set(token, { askedNs, fromNs: nowNs() });
        return token;
      },
      giveBack: async (gameId, token) => {
        const began = since.get(token);
        if (began !== undefined) tenures.push({ gameId, ...began, toNs: nowNs() });
        return leases.giveBack(gameId, token);
      },
    },
  };
}

interface Deps {
  readonly site: Site;
  readonly operator: OperatorCommands;
  readonly lifecycle: Lifecycle;
  readonly leases: OtherLeases;
  readonly games: readonly Game[];
}

type Ask = Extract<Operation, { readonly kind: 'ask' }>;

const FULL_ID = /^[0-9a-f]{64}$/;
const ANOTHER_ID = 'f'.repeat(64);

export function createOperations({ site, operator, lifecycle, leases, games }: Deps): Operations {
  const accepted: Accepted[] = [];
  const purged: string[] = [];
  const turns = new Map<string, Promise<unknown>>();

  const idOf = (game: number): string => games[game]?.gameId ?? '';

  /** The other service does one thing after the other with a game. */
  const inTurn = <T>(gameId: string, act: () => Promise<T>): Promise<T> => {
    const turn = (turns.get(gameId) ?? Promise.resolve()).then(act);
    turns.set(
      gameId,
      turn.catch(() => undefined),
    );
    return turn;
  };

  const serve = async (what: Service, gameId: string): Promise<string> => {
    switch (what) {
      case 'restart':
        return `${await lifecycle.stop(gameId)}, ${await lifecycle.start(gameId)}`;
      case 'rude start':
      case 'rude stop':
        await lifecycle.rudely(what === 'rude start' ? 'start' : 'stop', gameId);
        return 'done';
      case 'start':
      case 'stop':
      case 'recreate':
      case 'rename':
        return lifecycle[what](gameId);
    }
  };

  const expectedBy = async (how: Ask['how'], gameId: string): Promise<string | undefined> => {
    if (how === 'expected another') return ANOTHER_ID;
    if (how !== 'expected') return undefined;
    const text = 'SELECT current_container_id AS id FROM runtime_records WHERE game_id = $1';
    return (await site.db.query<{ id: string | null }>(text, [gameId])).rows[0]?.id ?? undefined;
  };

  const ask = async ({ how, source, game }: Ask): Promise<string> => {
    const gameId = idOf(game);
    const opSource = how === 'nonsense' ? 'moon_phase' : source;
    const expectedContainerId = await expectedBy(how, gameId);
    const isNonsense = how === 'nonsense' || !FULL_ID.test(expectedContainerId ?? ANOTHER_ID);
    const request = { gameId, opSource, ...(expectedContainerId === undefined ? {} : { expectedContainerId }) };
    const take = (jobId: string, isJoined: boolean): void =>
      void accepted.push({ jobId, gameId, source: opSource, isJoined, isNonsense, expectedContainerId });
    if (how !== 'command') {
      const jobId = await site.jobs.ask(request);
      take(jobId, false);
      return `job ${jobId}`;
    }
    const [job] = await operator.queue.enqueue([request]);
    if (job === undefined) return 'nothing';
    take(job.jobId, job.coalesced);
    return `job ${job.jobId}${job.coalesced ? ', there already' : ''}`;
  };

  const handleDead = async (kind: 'replay' | 'purge', gameId: string): Promise<string> => {
    const { items } = await operator.deadLetters.list({ gameId, limit: 100 });
    const answers: string[] = [];
    for (const { jobId } of items) {
      const { status } = await operator.deadLetters[kind](jobId);
      if (status === 'purged') purged.push(jobId);
      answers.push(`job ${jobId} ${status}`);
    }
    return answers.length === 0 ? 'there are none' : answers.join(', ');
  };

  const occupy = async (gameId: string, forMs: number): Promise<string> => {
    const token = await leases.take(gameId);
    if (token === undefined) return 'busy';
    await sleep(forMs);
    return (await leases.giveBack(gameId, token)) ? 'done' : 'the lease was lost';
  };

  const perform = async (operation: Operation): Promise<string> => {
    switch (operation.kind) {
      case 'service': {
        const gameId = idOf(operation.game);
        return inTurn(gameId, () => serve(operation.what, gameId));
      }
      case 'ask':
        return ask(operation);
      case 'sweep': {
        const report = await operator.retention.sweep({ signal: new AbortController().signal });
        return report.status === 'done' ? `${report.planned} due, ${report.enqueued} asked for` : report.status;
      }
      case 'hold':
        await operator.holds.put({ gameId: idOf(operation.game), reason: 'disputed', heldBy: 'laboratory', end: null });
        return 'held';
      case 'unhold':
        return (await operator.holds.remove(idOf(operation.game))) === undefined ? 'there was none' : 'done';
      case 'replay':
      case 'purge':
        return handleDead(operation.kind, idOf(operation.game));
      case 'occupy':
        return occupy(idOf(operation.game), operation.forMs);
    }
  };

  return { perform, accepted: () => accepted, purged: () => purged };
}
