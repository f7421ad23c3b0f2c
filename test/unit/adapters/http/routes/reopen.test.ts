import { expect, it } from 'vitest';
import type { ReopenCommand } from '../../../../../src/cleanup/reopen.js';
import { failure, type Result } from '../../../../../src/domain/result.js';
import { aRecord } from '../../../../support/records.js';
import { API, httpWorld, messageIn } from '../http-world.js';

const REOPENED: Result = { outcome: 'success', errorCode: '', errorMessage: '', record: aRecord(), removal: '' };

async function post(result: Result, headers: Readonly<Record<string, string>> = {}, query = '') {
  const commands: ReopenCommand[] = [];
  const { app } = await httpWorld({
    reopen: async (command) => {
      commands.push(command);
      return result;
    },
  });
  const answer = await app.inject({ method: 'POST', url: `${API}/runtimes/game-1/reopen${query}`, headers });
  return { answer, commands };
}

it('a reopened record is the answer', async () => {
  const { answer, commands } = await post(REOPENED, { 'x-request-id': 'request-9' });
  expect(answer.statusCode).toBe(200);
  expect(answer.json()).toMatchObject({ gameId: 'game-1', status: 'stopped' });
  expect(commands).toEqual([{ gameId: 'game-1', opSource: 'admin_rest', sourceRef: 'request-9', actor: 'admin' }]);
});

it('the caller that names itself is the actor', async () => {
  const { commands } = await post(REOPENED, { 'x-galaxy-caller': ' gm ' });
  expect(commands[0]?.actor).toBe('gm');
});

it.each([
  ['not_found', 404],
  ['conflict', 409],
  ['container_mismatch', 409],
  ['lease_lost', 409],
  ['engine_mismatch', 503],
  ['service_unavailable', 503],
] as const)('the code %s is answered with %i and its reason', async (code, status) => {
  const { answer } = await post(failure(code, 'this is why'));
  expect([answer.statusCode, answer.json()]).toEqual([status, { error: { code, message: 'this is why' } }]);
});

it('the text of a bug does not reach the caller', async () => {
  const { answer } = await post(failure('internal_error', 'secret'));
  expect(answer.statusCode).toBe(500);
  expect(messageIn(answer)).not.toContain('secret');
});

it('an unknown query parameter is refused', async () => {
  const { answer, commands } = await post(REOPENED, {}, '?force=1');
  expect([answer.statusCode, commands]).toEqual([400, []]);
});
