/** The engine's own record of its containers: every start, kill, end and removal, by any client. */
import { randomBytes } from 'node:crypto';
import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import type Docker from 'dockerode';
import { createChanges } from '../../support/changes.js';
import type { Asked } from './lifecycle.js';

export interface EngineEvent {
  /** The engine's wall time; on one machine comparable with `Asked.at`. */
  readonly at: Date;
  /** `create`, `start`, `kill`, `die`, `destroy`, `rename` and so on. */
  readonly action: string;
  readonly containerId: string;
  /** The container's label; empty where it has none. */
  readonly gameId: string;
}

export interface EngineLedger {
  /** In the engine's order. */
  readonly events: () => readonly EngineEvent[];
  /** Resolves when all that the engine did before this call is in `events`. */
  readonly caughtUp: () => Promise<void>;
  readonly close: () => Promise<void>;
}

const GAME_LABEL = 'com.galaxy.game_id';
const RECONNECT_AFTER_MS = 100;

interface Message {
  readonly Type?: string;
  readonly Action: string;
  readonly timeNano: number;
  readonly Actor: { readonly ID: string; readonly Attributes?: Readonly<Record<string, string>> };
}

/**
 * Records the events of all containers that carry `label`; resolves when the engine has begun to report. After an outage
 * of the engine the events are requested again from the last one on; those that the engine did not keep are unknown.
 */
export async function watchEngine(
  docker: Docker,
  { label = GAME_LABEL }: { readonly label?: string } = {},
): Promise<EngineLedger> {
  const events: EngineEvent[] = [];
  const marks = new Set<string>();
  const changes = createChanges();
  const known = new Set<string>();
  let lastNano = 0;
  let closed = false;
  let stream: Readable | undefined;

  const note = (message: Message): void => {
    const { Type: type, Action: action, timeNano, Actor: actor } = message;
    // Asked "since", the engine repeats the last event.
    const identity = `${timeNano} ${actor.ID} ${action}`;
    if (known.has(identity)) return;
    known.add(identity);
    lastNano = Math.max(lastNano, timeNano);
    const attributes = actor.Attributes ?? {};
    if (type === 'volume') {
      marks.add(actor.ID);
      changes.notify();
    } else if (label in attributes) {
      events.push({
        at: new Date(Math.floor(timeNano / 1e6)),
        action,
        containerId: actor.ID,
        gameId: attributes[GAME_LABEL] ?? '',
      });
    }
  };

  const subscribe = async (): Promise<Readable> => {
    const since = lastNano === 0 ? {} : { since: Math.floor(lastNano / 1e9) };
    const filters = JSON.stringify({ type: ['container', 'volume'] });
    // What dockerode types as the bare interface is an `IncomingMessage`.
    return (await docker.getEvents({ ...since, filters })) as Readable;
  };
  const follow = async (first: Readable): Promise<void> => {
    stream = first;
    for (;;) {
      if (closed) stream?.destroy();
      else if (stream !== undefined) await readLines(stream, (line) => note(JSON.parse(line) as Message));
      if (closed) return;
      await sleep(RECONNECT_AFTER_MS);
      stream = await subscribe().catch(() => undefined);
    }
  };
  const following = follow(await subscribe());

  return {
    events: () => events,
    caughtUp: async () => {
      // The engine reports in order: once it has reported this volume, it has reported everything before.
      const name = `ledger-${randomBytes(6).toString('hex')}`;
      await docker.createVolume({ Name: name });
      await docker.getVolume(name).remove();
      await changes.until(() => {
        if (!marks.has(name)) throw new Error('the engine has not reported every event yet');
      });
    },
    close: async () => {
      closed = true;
      stream?.destroy();
      await following;
    },
  };
}

/** Resolves when the stream is over, however it ended. */
async function readLines(stream: Readable, take: (line: string) => void): Promise<void> {
  let rest = '';
  stream.setEncoding('utf8');
  stream.on('error', () => undefined);
  stream.on('data', (text: string) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) if (line.trim() !== '') take(line);
  });
  await new Promise<void>((resolve) => {
    stream.once('close', resolve);
    stream.once('aborted', resolve);
    stream.once('end', resolve);
  });
}

// Podman's names beside Docker's.
const DEATHS: ReadonlySet<string> = new Set(['kill', 'die', 'died']);
const REMOVALS: ReadonlySet<string> = new Set(['destroy', 'remove']);
const STARTS: ReadonlySet<string> = new Set(['start', 'restart', 'unpause']);

/**
 * The ends of running containers that were not requested: a kill, a death or a removal of a container that was running,
 * without a stop or a removal that was asked since it was started. The containers' programs must not end by themselves,
 * and an engine that was stopped meanwhile must be accounted for by the caller.
 */
export function unaskedEndings(events: readonly EngineEvent[], asked: readonly Asked[]): readonly EngineEvent[] {
  const runningSince = new Map<string, Date>();
  return events.filter((event) => {
    const { containerId, action, at } = event;
    if (STARTS.has(action)) runningSince.set(containerId, at);
    const since = runningSince.get(containerId);
    if (since === undefined || !(DEATHS.has(action) || REMOVALS.has(action))) return false;
    if (action !== 'kill') runningSince.delete(containerId);
    return !asked.some(
      (one) =>
        one.containerId === containerId &&
        (one.what === 'stop' || one.what === 'remove') &&
        one.at >= since &&
        one.at <= at,
    );
  });
}
