import { describe, expect, it } from 'vitest';
import type { CommandContext } from '../../../../src/cli/command-context.js';
import { UnavailableError, StopRequestedError } from '../../../../src/domain/errors.js';
import { untilAborted } from '../../../support/calls.js';
import { fakeCli } from '../fake-cli.js';

const linesOf = (text: string) =>
  text
    .split('\n')
    .filter((line) => line !== '')
    .map((line): unknown => JSON.parse(line));

/** A service that runs until its signal is aborted, then ends without an error. */
const obedient = async ({ signal }: CommandContext) => {
  await untilAborted(signal).catch(() => {});
};

describe.each(['serve', 'worker'])('%s', (command) => {
  it(`${command} logs its settings once without secrets, works until a signal, and ends with 0`, async () => {
    const cli = fakeCli(
      { runService: obedient },
      { environment: { DATABASE_URL: 'postgresql://app:hunter2@db/games', RTMANAGER_WORKER_CONCURRENCY: '2' } },
    );
    const running = cli.run(command);
    await cli.clock.advance(1_000);
    cli.raise('SIGTERM');
    expect(await running).toBe(0);
    const { stdout, stderr } = cli.written;
    expect(stderr).toBe('');
    expect(stdout).not.toContain('hunter2');
    expect(linesOf(stdout)).toMatchObject([
      {
        msg: 'starting',
        settings: { DATABASE_URL: 'postgresql://app:***@db/games', RTMANAGER_WORKER_CONCURRENCY: 2 },
      },
      { msg: 'stopped' },
    ]);
  });

  it.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)(
    `${command} ends with 0 on %s while it waits for a dependency`,
    async (stopSignal) => {
      const cli = fakeCli({ runService: ({ signal }) => untilAborted(signal) });
      const running = cli.run(command);
      await cli.clock.advance(1_000);
      cli.raise(stopSignal);
      expect(await running).toBe(0);
    },
  );

  it(`${command} ends with 1 and the reason when it fails`, async () => {
    const cli = fakeCli({ runService: () => Promise.reject(new UnavailableError('docker', 'no engine')) });
    expect(await cli.run(command)).toBe(1);
    expect(cli.written.stderr).toContain('runtime-cleanup: no engine');
  });

  it(`${command} ends with 1 when its shutdown fails`, async () => {
    const cli = fakeCli({
      runService: async ({ signal }) => {
        await untilAborted(signal).catch(() => {});
        throw new TypeError('could not close');
      },
    });
    const running = cli.run(command);
    await cli.clock.advance(0);
    cli.raise('SIGTERM');
    expect(await running).toBe(1);
  });
});

describe('the second signal', () => {
  it('a second signal ends the process at once with 1', async () => {
    const cli = fakeCli({ runService: () => new Promise(() => {}) });
    void cli.run('worker');
    await cli.clock.advance(0);
    cli.raise('SIGTERM');
    expect(cli.exits).toEqual([]);
    cli.raise('SIGTERM');
    expect(cli.exits).toEqual([1]);
  });

  it('the copy of the first signal that npm passes on does not count as a second one', async () => {
    const cli = fakeCli({ runService: () => new Promise(() => {}) });
    void cli.run('worker');
    await cli.clock.advance(0);
    cli.raise('SIGINT');
    cli.clock.skip(249);
    cli.raise('SIGINT');
    expect(cli.exits).toEqual([]);
    cli.clock.skip(1);
    cli.raise('SIGINT');
    expect(cli.exits).toEqual([1]);
  });
});

it('the abort reason names the signal that stopped the command', async () => {
  const reasons: unknown[] = [];
  const cli = fakeCli({
    runService: async ({ signal }) => {
      await untilAborted(signal).catch((reason: unknown) => reasons.push(reason));
    },
  });
  const running = cli.run('worker');
  await cli.clock.advance(0);
  cli.raise('SIGTERM');
  await running;
  expect(reasons).toEqual([new StopRequestedError('SIGTERM')]);
});

it('a service logs to standard output, a one-shot command logs only warnings and errors to standard error', async () => {
  const chatter = async ({ log }: CommandContext) => {
    log.info({}, 'chat');
    log.warn({}, 'trouble');
  };
  const service = fakeCli({ runService: chatter });
  const once = fakeCli({
    migrate: async (session) => {
      await chatter(session);
      return [];
    },
  });
  await service.run('worker');
  await once.run('migrate', '--json');
  expect(linesOf(service.written.stdout)).toMatchObject([
    { msg: 'starting' },
    { msg: 'chat' },
    { msg: 'trouble' },
    { msg: 'stopped' },
  ]);
  expect(linesOf(once.written.stderr)).toMatchObject([{ msg: 'trouble' }]);
  expect(once.json()).toEqual({ applied: [] });
});
