/** Dead letters: listed, their cause repaired, and replayed, by command line and through HTTP; and other HTTP calls. */
import { type Game, repairRecord } from './games.js';
import { hasEvent, runStep, type ServiceStepContext, untilJobsEnded } from './step.js';
import { DemoError } from '../errors.js';
import { fieldOf, listOf, parseJson, textOf } from '../platform/answers.js';
import type { HttpAnswer } from '../platform/http-client.js';
import { shownCommand } from '../platform/programs.js';
import { judgeAnswer, judgeNames } from '../report/statements.js';
import type { Verdict } from '../report/verdict.js';
import type { Event } from '../scenarios/scenario.js';

interface StepOutcome {
  readonly games: readonly Game[];
  readonly verdicts: readonly Verdict[];
}

const jobIdsOf = (deadLetters: readonly unknown[]): readonly string[] =>
  deadLetters.map((deadLetter) => textOf(deadLetter, 'jobId'));

export function replayByCommandLine(context: ServiceStepContext, games: readonly Game[]): Promise<StepOutcome> {
  const { platform } = context;
  return runStep(context, 'replaying a dead letter', async () => {
    const inQueue = await platform.service.deadLetters();
    const document = await platform.programs.run(['dead-letters', 'list', '--all', '--json']);
    const deadLetters = listOf(parseJson(document, 'the list of dead letters'), 'deadLetters');
    const repair = await repairRecords(context, games, 'repaired, replayed by command line', deadLetters);
    await platform.programs.run(['dead-letters', 'replay', '--', ...repair.jobIds]);
    await untilJobsEnded(context);
    const command = shownCommand('dead-letters replay');
    return {
      summary: `${repair.jobIds.length} of ${deadLetters.length}, after its record was repaired, by "${command}"`,
      value: {
        games: repair.games,
        verdicts: [judgeNames('dead-letters list', 'dead letters', inQueue, jobIdsOf(deadLetters))],
      },
    };
  });
}

/** The same through HTTP, and the other calls of an administrator or another service. */
export function useHttp(context: ServiceStepContext, games: readonly Game[]): Promise<StepOutcome> {
  const { platform, http } = context;
  return runStep(context, 'through HTTP', async () => {
    const inQueue = await platform.service.deadLetters();
    const list = await http.ask({ method: 'GET', path: 'dead-letters?limit=100' });
    const deadLetters = listOf(list.body, 'items');
    const repair = await repairRecords(context, games, 'repaired, replayed through HTTP', deadLetters);
    for (const jobId of repair.jobIds) await replay(context, jobId);
    const removals = await removeContainers(context, games);
    const refusals = await makeRefusedCalls(context);
    const ready = await http.ask({ method: 'GET', path: '/readyz', token: null });
    return {
      summary: `${http.calls().length} calls so far; these as curl makes them`,
      details: http.newLines(),
      value: {
        games: repair.games,
        verdicts: [
          judgeNames('GET …/dead-letters', 'dead letters', inQueue, jobIdsOf(deadLetters)),
          ...removals,
          ...refusals,
          judgeAnswer('GET /readyz', '200', String(ready.status)),
        ],
      },
    };
  });
}

interface Repair {
  readonly games: readonly Game[];
  /** The jobs that can be replayed now. */
  readonly jobIds: readonly string[];
}

/** The platform repairs the records of the games that have this event. */
async function repairRecords(
  { platform }: ServiceStepContext,
  games: readonly Game[],
  event: Event,
  deadLetters: readonly unknown[],
): Promise<Repair> {
  const jobIds: string[] = [];
  const repaired = await Promise.all(
    games.map(async (game) => {
      if (!hasEvent(event)(game)) return game;
      const deadLetter = deadLetters.find((one) => textOf(one, 'gameId') === game.gameId);
      if (deadLetter === undefined) {
        throw new DemoError(`the dead letter of ${JSON.stringify(game.gameId)} is not listed`);
      }
      jobIds.push(textOf(deadLetter, 'jobId'));
      return repairRecord(platform, game);
    }),
  );
  return { games: repaired, jobIds };
}

async function replay({ http }: ServiceStepContext, jobId: string): Promise<void> {
  const id = encodeURIComponent(jobId);
  await http.ask({ method: 'GET', path: `dead-letters/${id}` });
  await http.ask({ method: 'POST', path: `dead-letters/${id}/replay` });
  const hasEnded = ({ body }: HttpAnswer): boolean => ['completed', 'failed'].includes(textOf(body, 'state'));
  await http.askUntil({ method: 'GET', path: `cleanups/${id}` }, hasEnded);
}

/** An administrator requests a removal and waits for its end. */
async function removeContainers({ http }: ServiceStepContext, games: readonly Game[]): Promise<readonly Verdict[]> {
  const verdicts: Verdict[] = [];
  for (const { gameId, scenario } of games) {
    if (!scenario.requests.some(({ by }) => by === 'http')) continue;
    const path = `runtimes/${encodeURIComponent(gameId)}/container`;
    const { status, body } = await http.ask({ method: 'DELETE', path, headers: { Prefer: 'wait=30' } });
    verdicts.push(
      judgeAnswer('DELETE …/container, Prefer: wait=30', '200 removed', `${status} ${textOf(body, 'status')}`),
    );
  }
  return verdicts;
}

/** Calls that the API must refuse. */
async function makeRefusedCalls({ http }: ServiceStepContext): Promise<readonly Verdict[]> {
  const wrongToken = await http.ask({ method: 'GET', path: 'runtimes', token: 'not-the-token' });
  const body = { code: 'conflict', force: true };
  const unknownField = await http.ask({ method: 'POST', path: 'dead-letters/replay', body });
  return [
    judgeAnswer('HTTP with a wrong token', '401 unauthorized', refusalOf(wrongToken)),
    judgeAnswer('HTTP with an unknown field', '400 invalid_request', refusalOf(unknownField)),
  ];
}

const refusalOf = ({ status, body }: HttpAnswer): string => `${status} ${textOf(fieldOf(body, 'error'), 'code')}`;
