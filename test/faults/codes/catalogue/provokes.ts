import { expect, it } from 'vitest';
import type { Ended } from '../rig.js';
import { type RowId, rowOf } from './rows.js';

/**
 * Defines the test of one row: what `provoke` brings about ends with the row's code, a message that names the cause,
 * what the row says of the job, and its row in the operation log (or, where that cannot be written, with word of it).
 */
export function provokes(id: RowId, message: RegExp, provoke: () => Promise<Ended>, variant = ''): void {
  const { situation, code, job, rowIsLost } = rowOf(id);
  it(`${id}: ${situation}${variant === '' ? '' : ` (${variant})`}`, async () => {
    const ended = await provoke();
    expect({ code: ended.code, job: ended.settlement.action, message: ended.message }).toEqual({
      code,
      job,
      message: expect.stringMatching(message),
    });
    const outcome = code === '' || code === 'replay_no_op' ? 'success' : 'failure';
    expect(ended.concluded).toMatchObject([{ errorCode: code, outcome }]);
    expect(ended.lostRows).toBe(rowIsLost ? 1 : 0);
    if (rowIsLost) return;
    expect((await ended.loggedCodes()).filter((logged) => logged === code)).toHaveLength(1);
  });
}
