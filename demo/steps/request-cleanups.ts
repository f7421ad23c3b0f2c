/** Requests the cleanups by queue and by command line, and starts the service that carries them out. */
import { mapConcurrent } from '../../src/async/map-concurrent.js';
import { commandLineCalls, type Game, requestByQueue, startAgain } from './games.js';
import { createHttpClient } from '../platform/http-client.js';
import type { Platform } from '../platform/platform.js';
import { listeningPort, shownCommand } from '../platform/programs.js';
import type { TidyUp } from '../platform/tidy-up.js';
import { waitUntil } from '../wait-until.js';
import {
  CONCURRENCY,
  hasEvent,
  POLL_MS,
  READY_WITHIN_MS,
  requireRunning,
  runStep,
  type ServiceStepContext,
  type StepContext,
} from './step.js';

/** Calls of the command line that run at the same time: each is a process that starts for a second. */
const CONCURRENT_CALLS = 2;

/** All requests are made at the same time; then another service starts some of the games again. */
export function requestCleanups(context: StepContext, games: readonly Game[]): Promise<readonly Game[]> {
  const { platform, signal } = context;
  return runStep(context, 'requesting cleanups', async (progress) => {
    const requested = games.filter((game) => !hasEvent('worker killed')(game));
    const calls = commandLineCalls(requested);
    let done = 0;
    const advance = (): void => progress.update((done += 1), requested.length + calls.length);
    const byQueue = mapConcurrent(requested, CONCURRENCY, async (game) => {
      signal.throwIfAborted();
      for (const request of game.scenario.requests) await requestByQueue(platform, game, request);
      advance();
    });
    const byCommandLine = mapConcurrent(calls, CONCURRENT_CALLS, async (call) => {
      signal.throwIfAborted();
      await platform.programs.run(call);
      advance();
    });
    await Promise.all([byQueue, byCommandLine]);
    const { total } = await platform.service.counts();
    const summary = `${total} jobs, by plain BullMQ and by ${calls.length} calls of "${shownCommand('enqueue')}"`;
    return { summary, value: await startSomeAgain(platform, games) };
  });
}

export const startSomeAgain = (platform: Platform, games: readonly Game[]): Promise<readonly Game[]> =>
  Promise.all(games.map(async (game) => (hasEvent('started again')(game) ? startAgain(platform, game) : game)));

/** Starts worker, retention and HTTP in one process; resolves when it listens. */
export function startService(context: StepContext, tidyUp: TidyUp): Promise<ServiceStepContext> {
  const { platform, clock, signal } = context;
  return runStep(context, 'starting the service', async () => {
    const service = platform.programs.start('serve');
    tidyUp.add('service', service.kill);
    let port: number | undefined;
    const condition = { what: 'the start of the service', everyMs: POLL_MS, withinMs: READY_WITHIN_MS };
    await waitUntil(context, condition, async () => {
      requireRunning(service);
      port = await listeningPort(platform.logFile);
      return port !== undefined;
    });
    const origin = `http://127.0.0.1:${port}`;
    const http = createHttpClient({ origin, token: platform.token, wait: { clock, signal } });
    return { summary: `"${shownCommand('serve')}" at ${origin}`, value: { ...context, service, http } };
  });
}
