import { describe, expect, it } from 'vitest';
import type { ReopenCommand } from '../../../../src/cleanup/reopen.js';
import { failure, type Result } from '../../../../src/domain/result.js';
import { aRecord, CONTAINER_ID } from '../../../support/records.js';
import { fakeCli } from '../fake-cli.js';
import { fakeReader } from '../fake-handles.js';

const REOPENED: Result = { outcome: 'success', errorCode: '', errorMessage: '', record: aRecord(), removal: '' };

function reopening(result: Result) {
  const commands: ReopenCommand[] = [];
  const closed = { times: 0 };
  const cli = fakeCli({
    ...fakeReader().backend,
    openReopening: async () => ({
      reopen: async (command) => {
        commands.push(command);
        return result;
      },
      close: async () => {
        closed.times += 1;
      },
    }),
  });
  return { cli, commands, closed };
}

describe('records reopen', () => {
  it('a reopened record is shown with its container, and the command ends with 0', async () => {
    const { cli, commands, closed } = reopening(REOPENED);
    expect(await cli.run('records', 'reopen', ' game-1 ', '--by', 'kim')).toBe(0);
    expect(commands).toEqual([{ gameId: 'game-1', opSource: 'operator_cli', sourceRef: '', actor: 'kim' }]);
    expect(cli.written.stdout).toBe(`game-1 is stopped again, with the container ${CONTAINER_ID}.\n`);
    expect(closed.times).toBe(1);
  });

  it('a refusal says the code and the reason, and the command ends with 1', async () => {
    const { cli, closed } = reopening(failure('conflict', 'the record is "stopped"'));
    expect(await cli.run('records', 'reopen', 'game-1')).toBe(1);
    expect(cli.written.stderr).toContain('game-1 was not reopened: conflict: the record is "stopped"');
    expect([cli.written.stdout, closed.times]).toEqual(['', 1]);
  });

  it('the JSON has outcome, code, message and record', async () => {
    const { cli } = reopening(REOPENED);
    expect(await cli.run('records', 'reopen', 'game-1', '--json')).toBe(0);
    expect(cli.json()).toMatchObject({
      outcome: 'success',
      errorCode: '',
      record: { currentContainerId: CONTAINER_ID },
    });
  });

  it('the JSON of a refusal has no record', async () => {
    const { cli } = reopening(failure('not_found', 'there is no runtime record of this game'));
    expect(await cli.run('records', 'reopen', 'game-1', '--json')).toBe(1);
    expect(cli.json()).toMatchObject({ outcome: 'failure', errorCode: 'not_found', record: null });
  });

  it('a text that is no game id, and a name of two lines, are wrong use', async () => {
    expect(await reopening(REOPENED).cli.run('records', 'reopen', ' ')).toBe(2);
    expect(await reopening(REOPENED).cli.run('records', 'reopen', 'game-1', '--by', 'a\nb')).toBe(2);
    expect(await reopening(REOPENED).cli.run('records', 'reopen')).toBe(2);
  });

  it('the command without reopen still lists', async () => {
    const { cli } = reopening(REOPENED);
    expect(await cli.run('records', '--json')).toBe(0);
    expect(cli.json()).toEqual({ records: [], next: null });
  });
});
