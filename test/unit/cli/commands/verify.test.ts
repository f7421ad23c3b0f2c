import { describe, expect, it } from 'vitest';
import {
  createTally,
  type Finding,
  type InvariantName,
  type InvariantReport,
} from '../../../../src/audit/audit-report.js';
import type { CommandBackend } from '../../../../src/cli/command-context.js';
import { CONTAINER_ID } from '../../../support/records.js';
import { fakeCli } from '../fake-cli.js';

const aFinding = (over: Partial<Finding> = {}): Finding => ({
  severity: 'broken',
  gameId: 'game-1',
  jobId: null,
  containerId: CONTAINER_ID,
  what: 'the engine has its container',
  advice: 'remove it by its full id',
  ...over,
});

const aReport = (name: InvariantName, over: Partial<InvariantReport> = {}): InvariantReport => ({
  ...createTally(name).report(),
  checked: 3,
  ...over,
});

const sound = aReport('removed_has_row');
const warned = aReport('row_has_removal', { warnings: 1, findings: [aFinding({ severity: 'warning' })] });
const broken = aReport('removed_is_gone', { status: 'broken', broken: 1, findings: [aFinding()] });
const unknown = aReport('lease_has_end', { status: 'unknown', checked: 0, reason: 'redis is unavailable' });

const reporting = (...reports: readonly InvariantReport[]) => {
  const asked: Parameters<CommandBackend['verifyInvariants']>[1][] = [];
  const backend: Partial<CommandBackend> = {
    verifyInvariants: async function* (_session, options) {
      asked.push(options);
      yield* reports;
    },
  };
  return { asked, backend };
};

it('verify shows each invariant, then each finding, its place and its advice', async () => {
  const cli = fakeCli(reporting(sound, broken).backend);
  expect(await cli.run('verify')).toBe(1);
  expect(cli.written.stdout).toBe(
    [
      'holds    removed_has_row: every record that a cleanup removed has the success row written with it (3 records)',
      'broken   removed_is_gone: the container of a removed record does not exist (3 containers, 1 broken)',
      '',
      'INVARIANT        SEVERITY  GAME    JOB  CONTAINER     WHAT',
      'removed_is_gone  broken    game-1       a1a1a1a1a1a1  the engine has its container',
      '',
      'What to do:',
      '  removed_is_gone: remove it by its full id',
      '',
      '1 of 2 invariants are broken, 0 unknown.',
      '',
    ].join('\n'),
  );
});

it('verify states that all invariants hold, and ends with 0', async () => {
  const cli = fakeCli(reporting(sound).backend);
  expect(await cli.run('verify')).toBe(0);
  expect(cli.written.stdout).toMatch(/All invariants hold\.\n$/);
});

it('an invariant that could not be checked makes verify fail', async () => {
  const cli = fakeCli(reporting(sound, unknown).backend);
  expect(await cli.run('verify')).toBe(1);
  expect(cli.written.stdout).toContain('could not be checked completely: redis is unavailable\n');
  expect(cli.written.stdout).toContain('0 of 2 invariants are broken, 1 unknown.\n');
  expect(cli.written.stderr).toContain('runtime-cleanup doctor');
});

it('warnings make verify fail only with --strict', async () => {
  expect(await fakeCli(reporting(warned).backend).run('verify')).toBe(0);
  const strict = fakeCli(reporting(warned).backend);
  expect(await strict.run('verify', '--strict')).toBe(1);
  expect(strict.written.stderr).toContain('with --strict, warnings are failures');
});

it('verify shows each advice once, and counts the findings that it leaves out', async () => {
  const findings = [aFinding(), aFinding({ gameId: 'game-2' })];
  const cli = fakeCli(reporting(aReport('removed_is_gone', { status: 'broken', broken: 5, findings })).backend);
  await cli.run('verify');
  expect(cli.written.stdout.split('remove it by its full id')).toHaveLength(2);
  expect(cli.written.stderr).toContain('removed_is_gone: 3 more are not shown.');
});

it('verify makes control characters in findings visible', async () => {
  const findings = [aFinding({ gameId: 'g\u001B[2J', what: 'x\u202Ey', advice: 'a\u0007' })];
  const hostile = aReport('removed_is_gone', { status: 'broken', broken: 1, findings, reason: '\u001B[1m' });
  const cli = fakeCli(reporting(hostile).backend);
  await cli.run('verify');
  expect(cli.written.stdout).not.toMatch(/(?!\n)\p{Cc}|\u202E/u);
});

describe('verify --json', () => {
  it('verify --json prints one document and nothing else', async () => {
    const cli = fakeCli(reporting(sound, broken).backend);
    expect(await cli.run('verify', '--json')).toBe(1);
    expect(cli.json()).toEqual({ ok: false, invariants: [sound, broken] });
    expect(cli.written.stderr).toBe('');
  });

  it('verify --json reports ok when all invariants hold', async () => {
    const cli = fakeCli(reporting(sound).backend);
    await cli.run('verify', '--json');
    expect(cli.json()).toMatchObject({ ok: true });
  });
});

describe('verify --game', () => {
  it('verify --game passes on the trimmed game id', async () => {
    const { asked, backend } = reporting(sound);
    expect(await fakeCli(backend).run('verify', '--game', ' game-7 ')).toBe(0);
    expect(asked).toMatchObject([{ gameId: 'game-7' }]);
  });

  it('verify --game refuses text that is not a game id', async () => {
    const cli = fakeCli(reporting(sound).backend);
    expect(await cli.run('verify', '--game', '')).toBe(2);
    expect(cli.written.stderr).toContain('gameId is empty');
  });
});

it('verify reports the progress of the container checks', async () => {
  const cli = fakeCli({
    verifyInvariants: async function* (_session, { onProgress }) {
      onProgress?.({ done: 0, total: 100 });
      for (let done = 1; done <= 100; done += 1) onProgress?.({ done, total: 100 });
      yield aReport('removed_is_gone');
    },
  });
  await cli.run('verify');
  expect(cli.written.stderr).toContain('containers 50 of 100\n');
  expect(cli.written.stderr.trim().split('\n')).toHaveLength(10);
});
