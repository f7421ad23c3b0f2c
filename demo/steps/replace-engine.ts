/** Another engine, an empty one, answers at the address of the service's engine: nothing is believed until the right one is back. */
import { describeIdentity } from '../../src/engines/decide-gone.js';
import { DemoError } from '../errors.js';
import { listOf, textOf } from '../platform/answers.js';
import { EMPTY_ENGINE } from '../platform/engine-address.js';
import type { HttpAnswer } from '../platform/http-client.js';
import type { Platform } from '../platform/platform.js';
import { judgeAnswer } from '../report/statements.js';
import type { Verdict } from '../report/verdict.js';
import type { Game, PlannedGame } from './games.js';
import { createGames } from './prepare-games.js';
import { runStep, type ServiceStepContext, untilJobsEnded } from './step.js';

interface StepOutcome {
  readonly games: readonly Game[];
  readonly verdicts: readonly Verdict[];
}

/** Creates these games, requests them while the empty engine answers, and puts the right engine back. */
export function replaceEngine(context: ServiceStepContext, planned: readonly PlannedGame[]): Promise<StepOutcome> {
  const { platform, http } = context;
  const { engineAddress: address } = platform;
  return runStep(context, 'replacing the engine', async () => {
    const games = await createGames(context, planned, () => undefined);
    address.leadTo('an empty engine');
    const refusal = await http.askUntil(READINESS, ({ status }) => status === 503);
    const problem = problemOf(refusal);
    const details = [...http.newLines(), '    its check "engines" says:', ...folded(problem)];
    const requested = await requestAll(context, games);
    const meanwhile = await Promise.all(games.map((game) => whatHappened(context, game)));
    address.leadTo('the engine');
    for (const jobId of requested) await http.askUntil(cleanup(jobId), isIn('completed', 'failed'));
    await untilJobsEnded(context);
    const ready = await http.askUntil(READINESS, ({ status }) => status === 200);
    return {
      summary: `${games.length} held while an empty engine answered, removed when the right one was back`,
      details: [...details, ...http.newLines()],
      value: {
        games,
        verdicts: [
          judgeAnswer(
            'GET /readyz, another engine answers',
            BOTH_NAMED,
            `${refusal.status}, ${namedIn(problem, platform)}`,
          ),
          ...meanwhile.map((found) => judgeAnswer('requested while it answers', UNTOUCHED, found)),
          judgeAnswer('GET /readyz, the right engine is back', '200', String(ready.status)),
        ],
      },
    };
  });
}

const READINESS = { method: 'GET', path: '/readyz' } as const;
const cleanup = (jobId: string) => ({ method: 'GET', path: `cleanups/${encodeURIComponent(jobId)}` }) as const;
const isIn =
  (...states: readonly string[]) =>
  ({ body }: HttpAnswer): boolean =>
    states.includes(textOf(body, 'state'));

/** Resolves to the ids of the jobs, when the worker has claimed each. */
async function requestAll({ http }: ServiceStepContext, games: readonly Game[]): Promise<readonly string[]> {
  const jobIds: string[] = [];
  for (const { gameId } of games) {
    const { status, body } = await http.ask({
      method: 'DELETE',
      path: `runtimes/${encodeURIComponent(gameId)}/container`,
    });
    if (status !== 202) throw new DemoError(`a cleanup was requested through HTTP, and the answer was ${status}`);
    const jobId = textOf(body, 'jobId');
    await http.askUntil(cleanup(jobId), isIn('active'));
    jobIds.push(jobId);
  }
  return jobIds;
}

const UNTOUCHED = 'exited; stopped; nothing';

/** Container, record and operation log of a game. */
async function whatHappened({ platform }: ServiceStepContext, { gameId, container }: Game): Promise<string> {
  const { containers, records } = platform;
  const state = await containers.stateOf(container?.containerId ?? '');
  const codes = await records.operations(gameId, []);
  return `${state}; ${textOf(await records.read(gameId), 'status')}; ${codes.join(', ') || 'nothing'}`;
}

const BOTH_NAMED = '503, both identities';

/** What readiness says of the engines. */
function problemOf({ body }: HttpAnswer): string {
  return textOf(
    listOf(body, 'checks').find((check) => textOf(check, 'name') === 'engines'),
    'detail',
  );
}

/** Whether the text names the engine that owns the containers and the one that answers. */
function namedIn(problem: string, { engineIdentity }: Pick<Platform, 'engineIdentity'>): string {
  const isNamed = [engineIdentity, EMPTY_ENGINE].every((identity) => problem.includes(describeIdentity(identity)));
  return isNamed ? 'both identities' : problem;
}

/** Lines of 110 characters, broken between words. */
const folded = (text: string): readonly string[] =>
  (text.match(/.{1,110}(?: |$)/g) ?? [text]).map((line) => `    ${line.trimEnd()}`);
