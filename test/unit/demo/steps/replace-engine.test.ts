import { describe, expect, it } from 'vitest';
import { EMPTY_ENGINE } from '../../../../demo/platform/engine-address.js';
import type { HttpAnswer, HttpClient, HttpRequest } from '../../../../demo/platform/http-client.js';
import type { Platform } from '../../../../demo/platform/platform.js';
import { scenario } from '../../../../demo/scenarios/scenario-builders.js';
import { planGames } from '../../../../demo/steps/games.js';
import { replaceEngine } from '../../../../demo/steps/replace-engine.js';
import type { ServiceStepContext } from '../../../../demo/steps/step.js';
import { describeIdentity } from '../../../../src/engines/decide-gone.js';
import { createManualClock } from '../../../support/manual-clock.js';

const OWN = { engineId: 'OWN', rootDir: '/var/lib/docker', storageDriver: 'overlay2' };
const planned = planGames([scenario('replaced', [{ by: 'http' }], { event: 'engine replaced' })]);

interface Service {
  /** What readiness says of the engines while the empty one answers. */
  readonly problem: string;
  /** Codes of the operation log by the time the right engine is put back. */
  readonly logged: readonly string[];
}

/** A service with one game, and the order of what the step did to it. */
function contextFor({ problem, logged }: Service): { context: ServiceStepContext; done: string[] } {
  const done: string[] = [];
  let isReplaced = false;
  const answer = ({ method, path }: HttpRequest): HttpAnswer => {
    done.push(`${method} ${path}`);
    if (path === '/readyz') {
      const body = { checks: [{ name: 'engines', detail: isReplaced ? problem : 'known: default' }] };
      return { status: isReplaced ? 503 : 200, body };
    }
    if (method === 'DELETE') return { status: 202, body: { jobId: '7' } };
    return { status: 200, body: { state: isReplaced ? 'active' : 'completed' } };
  };
  const http: HttpClient = {
    ask: async (request) => answer(request),
    askUntil: async (request, isWanted) => {
      const found = answer(request);
      expect(isWanted(found)).toBe(true);
      return found;
    },
    calls: () => [],
    newLines: () => [],
  };
  const containers = {
    prepare: async () => ({ containerId: 'c', observedId: 'c', volumes: [] }),
    stateOf: async () => 'exited',
  };
  const records = {
    write: async () => undefined,
    read: async () => ({ status: 'stopped' }),
    operations: async () => logged,
  };
  const engineAddress = {
    leadTo: (place: string) => {
      done.push(`the address leads to ${place}`);
      isReplaced = place === 'an empty engine';
    },
  };
  const service = { counts: async () => ({ ended: 1, total: 1 }) };
  // Only what the step uses.
  const platform = { containers, records, engineAddress, engineIdentity: OWN, service } as unknown as Platform;
  const stream = { write: () => true };
  const context: ServiceStepContext = {
    platform,
    http,
    service: { isRunning: () => true, stop: async () => 0, kill: async () => undefined },
    output: { stdout: stream, stderr: stream, json: true },
    clock: createManualClock(),
    signal: new AbortController().signal,
  };
  return { context, done };
}

const BOTH = `${describeIdentity(EMPTY_ENGINE)} instead of ${describeIdentity(OWN)}`;
const differencesOf = async (service: Service): Promise<readonly (readonly [string, readonly string[]])[]> => {
  const { verdicts } = await replaceEngine(contextFor(service).context, planned);
  return verdicts.flatMap(({ scenario: name, differences }) =>
    differences.length === 0 ? [] : [[name, differences] as const],
  );
};

describe('replacing the engine', () => {
  it('a game is requested between the two changes of the address, and ends after the second', async () => {
    const { context, done } = contextFor({ problem: BOTH, logged: [] });
    const { games, verdicts } = await replaceEngine(context, planned);
    expect(games.map(({ gameId }) => gameId)).toEqual(['demo-1']);
    expect(verdicts.flatMap(({ differences }) => differences)).toEqual([]);
    expect(done).toEqual([
      'the address leads to an empty engine',
      'GET /readyz',
      'DELETE runtimes/demo-1/container',
      'GET cleanups/7',
      'the address leads to the engine',
      'GET cleanups/7',
      'GET /readyz',
    ]);
  });

  it('readiness that names one identity only is a difference', async () => {
    expect(await differencesOf({ problem: describeIdentity(EMPTY_ENGINE), logged: [] })).toEqual([
      ['GET /readyz, another engine answers', [expect.stringContaining('it should be 503, both identities')]],
    ]);
  });

  it('an operation that is logged while the empty engine answers is a difference', async () => {
    expect(await differencesOf({ problem: BOTH, logged: ['success'] })).toEqual([
      ['requested while it answers', ['it should be exited; stopped; nothing, it is exited; stopped; success']],
    ]);
  });
});
