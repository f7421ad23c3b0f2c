import { describe, expect, it } from 'vitest';
import { ConfigurationError, UnavailableError } from '../../../src/domain/errors.js';
import { describeSettings } from '../../../src/config/settings.js';
import { fakeCli } from './fake-cli.js';

const COMMANDS = [
  'serve',
  'worker',
  'api',
  'enqueue',
  'sweep',
  'hold',
  'unhold',
  'records',
  'log',
  'holds',
  'doctor',
  'verify',
  'migrate',
  'database-url',
];
const COMMANDS_IN_GROUPS = [
  ...['list', 'show', 'replay', 'purge'].map((name) => `dead-letters ${name}`),
  ...['list', 'accept'].map((name) => `engines ${name}`),
];

describe('--help', () => {
  it('--help lists every command and the exit codes, without loading the service', async () => {
    const cli = fakeCli({});
    expect(await cli.run('--help')).toBe(0);
    expect(
      [...COMMANDS, 'dead-letters', 'engines'].filter(
        (name) => !new RegExp(`^  ${name} `, 'm').test(cli.written.stdout),
      ),
    ).toEqual([]);
    expect(cli.written.stdout).toContain('Exit codes: 0 done, 1 failed, 2 wrong use.');
    expect(cli.loads()).toBe(0);
  });

  it.each([...COMMANDS, ...COMMANDS_IN_GROUPS])(
    'the help of %s shows --json, an example and its settings',
    async (name) => {
      const cli = fakeCli({});
      expect(await cli.run(...name.split(' '), '--help')).toBe(0);
      expect(cli.written.stdout).toContain('--json');
      expect(cli.written.stdout).toMatch(new RegExp(`Examples:\\n.*runtime-cleanup ${name}`));
      expect(cli.written.stdout).toMatch(/Settings \(environment\):\n {2}[A-Z_]+\n {6}\S/);
      expect(cli.loads()).toBe(0);
    },
  );

  it('the help of serve shows every setting with its default', async () => {
    const cli = fakeCli({});
    await cli.run('serve', '--help');
    const help = cli.written.stdout;
    expect(
      describeSettings().filter(
        ({ name, fallback }) =>
          !help.includes(`  ${name}\n`) || !help.includes(`default: ${fallback.replaceAll('`', '')}`),
      ),
    ).toEqual([]);
  });

  it.each([
    [['help'], 'Usage: runtime-cleanup [options] [command]'],
    [['help', 'sweep'], 'Usage: runtime-cleanup sweep '],
    [['help', 'dead-letters'], 'Usage: runtime-cleanup dead-letters '],
    [['dead-letters', 'help', 'list'], 'Usage: runtime-cleanup dead-letters list '],
  ])('the help is also shown by %j', async (args, usage) => {
    const cli = fakeCli({});
    expect(await cli.run(...args)).toBe(0);
    expect(cli.written.stdout).toContain(usage);
    expect(cli.written.stderr).toBe('');
  });

  it('the help fits on one screen and groups the commands', async () => {
    const cli = fakeCli({});
    await cli.run('--help');
    const lines = cli.written.stdout.split('\n');
    expect(lines.length).toBeLessThan(50);
    expect(lines.filter((line) => /^\S.*:$/.test(line))).toEqual([
      'Options:',
      'Run the service:',
      'Remove or keep containers:',
      'Inspect:',
      'Diagnose and repair:',
      'Set up:',
    ]);
  });

  it('the help is shown even when the settings are wrong', async () => {
    expect(await fakeCli({}, { environment: { RTMANAGER_LOG_LEVEL: 'loud' } }).run('worker', '--help')).toBe(0);
  });
});

it('--version prints the version', async () => {
  const cli = fakeCli({});
  expect(await cli.run('--version')).toBe(0);
  expect(cli.written.stdout).toBe('1.2.3\n');
});

describe('wrong use', () => {
  const cases: readonly (readonly [situation: string, args: readonly string[], says: string])[] = [
    ['no command', [], 'no command is given'],
    ['an unknown command', ['cleanup'], "unknown command 'cleanup'"],
    ['an unknown command of a group', ['dead-letters', 'lst'], "unknown command 'lst' (Did you mean list?)"],
    ['a misspelt option', ['records', '--statsu', 'x'], "unknown option '--statsu' (Did you mean --status?)"],
    ['a missing argument', ['log'], "missing required argument 'game-id'"],
    ['too many arguments', ['migrate', 'now'], 'too many arguments'],
    ['an unknown status', ['records', '--status', 'gone'], 'Allowed choices are running, stopped, removed.'],
    ['a limit of 0', ['records', '--limit', '0'], 'Allowed: a whole number from 1 to 1000.'],
    ['options that exclude each other', ['records', '--all', '--limit', '3'], 'cannot be used with'],
    ['an invalid game id', ['log', 'a\u0007b'], 'contains a control character'],
  ];
  it.each(cases)('a call with %s ends with 2 and one line with the reason', async (_situation, args, says) => {
    const cli = fakeCli({});
    expect(await cli.run(...args)).toBe(2);
    expect(cli.written.stdout).toBe('');
    expect(cli.written.stderr.split('\n').filter((line) => line.startsWith('runtime-cleanup: '))).toEqual([
      expect.stringContaining(says),
    ]);
  });

  it('a wrong call ends with 2 and an error object with --json', async () => {
    const cli = fakeCli({});
    expect(await cli.run('records', '--limit', 'x', '--json')).toBe(2);
    expect(JSON.parse(cli.written.stderr)).toMatchObject({ error: { code: 'invalid_request' } });
  });
});

describe('bad settings', () => {
  const environment = { RTMANAGER_DOCKER_TIMEOUT: 'soon', RTMANAGER_QUEUE_BACKND: 'redis' };

  it('bad settings end a command with 2 and one line for each, before the service is loaded', async () => {
    const cli = fakeCli({}, { environment });
    expect(await cli.run('records')).toBe(2);
    expect(cli.written.stderr.trim().split('\n')).toEqual([
      'runtime-cleanup: RTMANAGER_QUEUE_BACKND: no setting has this name; did you mean RTMANAGER_QUEUE_BACKEND?',
      'runtime-cleanup: RTMANAGER_DOCKER_TIMEOUT: "soon" is not allowed; allowed: a number and its unit (ms, s, m or h), from 100ms to 1h',
    ]);
    expect(cli.loads()).toBe(0);
  });

  it('bad settings end a service with 2', async () => {
    expect(await fakeCli({}, { environment }).run('worker')).toBe(2);
  });
});

describe('a failure', () => {
  const failing = (error: Error, environment = {}) => {
    const openReader = async () => {
      throw error;
    };
    return fakeCli({ openReader }, { environment });
  };

  it('a failed dependency is shown as one line that names it, with advice and exit code 1', async () => {
    const cli = failing(new UnavailableError('postgresql', 'connect ECONNREFUSED\n  127.0.0.1:5432'));
    expect(await cli.run('records')).toBe(1);
    expect(cli.written.stderr).toBe(
      'runtime-cleanup: connect ECONNREFUSED 127.0.0.1:5432\n' +
        '`runtime-cleanup doctor` checks every dependency and says how to repair it.\n',
    );
  });

  it('a failure is an object on standard error with --json, and standard output is empty', async () => {
    const cli = failing(new UnavailableError('redis', 'no answer'));
    expect(await cli.run('log', 'g', '--json')).toBe(1);
    expect(JSON.parse(cli.written.stderr)).toMatchObject({
      error: { code: 'service_unavailable', message: 'no answer' },
    });
    expect(cli.written.stdout).toBe('');
  });

  it('a configuration error that is found late is shown as one line with exit code 1', async () => {
    const cli = failing(new ConfigurationError('Redis may evict keys'));
    expect(await cli.run('records')).toBe(1);
    expect(cli.written.stderr).toBe('runtime-cleanup: Redis may evict keys\n');
  });

  it('a stack trace is shown only at log level debug', async () => {
    const quiet = failing(new TypeError('x is not a function'));
    const loud = failing(new TypeError('x is not a function'), { RTMANAGER_LOG_LEVEL: 'debug' });
    expect([await quiet.run('records'), await loud.run('records')]).toEqual([1, 1]);
    expect(quiet.written.stderr).not.toContain('    at ');
    expect(quiet.written.stderr).toContain('RTMANAGER_LOG_LEVEL=debug');
    expect(loud.written.stderr).toContain('    at ');
  });

  it('the control characters of a failure are made visible', async () => {
    const cli = failing(new ConfigurationError('evil \u001B[2J text'));
    await cli.run('records');
    expect(cli.written.stderr).toBe('runtime-cleanup: evil \\u001b[2J text\n');
  });
});

it('a finished command no longer listens for signals', async () => {
  const cli = fakeCli({ migrate: async () => [] });
  await cli.run('migrate');
  expect(cli.listeners()).toBe(0);
});
