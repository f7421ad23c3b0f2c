/** Dead letters seen, mended and replayed, by command line and through HTTP; and what else HTTP is asked. */
import { act, plays, type ServedStage, untilAllEnded } from './step.js';
import { fieldOf, listOf, parsed, textOf } from '../platform/answers.js';
import { type Game, mend } from './games.js';
import type { HttpAnswer } from '../platform/http-client.js';
import type { Event } from '../scenarios/scenario.js';
import { judgeAnswer, judgeNames } from '../report/statements.js';
import type { Verdict } from '../report/verdict.js';
import { DemoError } from '../wait-until.js';

interface Mended {
  readonly games: readonly Game[];
  readonly verdicts: readonly Verdict[];
}

const jobIdsOf = (letters: readonly unknown[]): readonly string[] => letters.map((letter) => textOf(letter, 'jobId'));

export function mendByCommandLine(stage: ServedStage, games: readonly Game[]): Promise<Mended> {
  const { platform } = stage;
  return act(stage, 'mending a dead letter', async () => {
    const there = await platform.service.deadLetters();
    const document = await platform.programs.run(['dead-letters', 'list', '--all', '--json']);
    const letters = listOf(parsed(document, 'the list of dead letters'), 'deadLetters');
    const { mended, jobIds } = await mendThose(stage, games, 'mended, replayed by command line', letters);
    await platform.programs.run(['dead-letters', 'replay', '--', ...jobIds]);
    await untilAllEnded(stage);
    return {
      said: `${jobIds.length} of ${letters.length}, replayed by "runtime-cleanup dead-letters replay"`,
      value: {
        games: mended,
        verdicts: [judgeNames('dead-letters list', 'dead letters', there, jobIdsOf(letters))],
      },
    };
  });
}

/** The same through HTTP, and whatever else an administrator or another service may ask there. */
export function useHttp(stage: ServedStage, games: readonly Game[]): Promise<Mended> {
  const { platform, http } = stage;
  return act(stage, 'through HTTP', async () => {
    const there = await platform.service.deadLetters();
    const list = await http.ask({ method: 'GET', path: 'dead-letters?limit=100' });
    const letters = listOf(list.body, 'items');
    const found = await mendThose(stage, games, 'mended, replayed through HTTP', letters);
    for (const jobId of found.jobIds) await replay(stage, jobId);
    const removals = await removeAll(stage, games);
    const refusals = await beRefused(stage);
    const ready = await http.ask({ method: 'GET', path: '/readyz', token: null });
    return {
      said: `${http.calls().length} calls so far; these as curl makes them`,
      more: http.newLines(),
      value: {
        games: found.mended,
        verdicts: [
          judgeNames('GET …/dead-letters', 'dead letters', there, jobIdsOf(letters)),
          ...removals,
          ...refusals,
          judgeAnswer('GET /readyz', '200', String(ready.status)),
        ],
      },
    };
  });
}

/** The platform mends the records of those games that wait for it; resolves to the jobs to be replayed. */
async function mendThose({ platform }: ServedStage, games: readonly Game[], event: Event, letters: readonly unknown[]) {
  const jobIds: string[] = [];
  const mended = await Promise.all(
    games.map(async (game) => {
      if (!plays(event)(game)) return game;
      const letter = letters.find((one) => textOf(one, 'gameId') === game.gameId);
      if (letter === undefined) throw new DemoError(`the dead letter of ${JSON.stringify(game.gameId)} is not listed`);
      jobIds.push(textOf(letter, 'jobId'));
      return mend(platform, game);
    }),
  );
  return { mended, jobIds };
}

async function replay({ http }: ServedStage, jobId: string): Promise<void> {
  const id = encodeURIComponent(jobId);
  await http.ask({ method: 'GET', path: `dead-letters/${id}` });
  await http.ask({ method: 'POST', path: `dead-letters/${id}/replay` });
  const hasEnded = ({ body }: HttpAnswer): boolean => ['completed', 'failed'].includes(textOf(body, 'state'));
  await http.askUntil({ method: 'GET', path: `cleanups/${id}` }, hasEnded);
}

/** An administrator wants a container gone, and waits for it. */
async function removeAll({ http }: ServedStage, games: readonly Game[]): Promise<readonly Verdict[]> {
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

async function beRefused({ http }: ServedStage): Promise<readonly Verdict[]> {
  const stranger = await http.ask({ method: 'GET', path: 'runtimes', token: 'not-the-token' });
  const body = { code: 'conflict', force: true };
  const misspelt = await http.ask({ method: 'POST', path: 'dead-letters/replay', body });
  return [
    judgeAnswer('HTTP with a wrong token', '401 unauthorized', refusal(stranger)),
    judgeAnswer('HTTP with an unknown field', '400 invalid_request', refusal(misspelt)),
  ];
}

const refusal = ({ status, body }: HttpAnswer): string => `${status} ${textOf(fieldOf(body, 'error'), 'code')}`;
