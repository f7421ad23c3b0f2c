import Docker from 'dockerode';
import { describe, expect, it } from 'vitest';
import { catchAnswerErrors } from '../../../../../src/adapters/docker/patches/catch-answer-errors.js';
import { LibraryChangedError } from '../../../../../src/domain/errors.js';

const newDocker = () => new Docker({ host: '127.0.0.1', port: 1, protocol: 'http' });
const UNSHOWABLE = { message: { toString: 1 } };

/** Passes an answer to the library's own reader; the callback gets what a caller of dockerode would get. */
const read = ({ modem }: Docker, statusCode: number, json: unknown, callback: (...answer: unknown[]) => void): void => {
  const statusCodes = { 200: true, 404: 'no such container' };
  Reflect.apply(modem['buildPayload'], modem, [null, false, statusCodes, false, {}, { statusCode }, json, callback]);
};

describe('catchAnswerErrors', () => {
  it('dockerode without the patch throws on a refusal whose message has no text', () => {
    expect(() => read(newDocker(), 404, UNSHOWABLE, () => undefined)).toThrow(TypeError);
  });

  it('a patched client passes such a refusal to its caller, with status and body', () => {
    const answers: unknown[][] = [];
    read(catchAnswerErrors(newDocker()), 404, UNSHOWABLE, (...answer) => answers.push(answer));
    expect(answers).toEqual([
      [expect.objectContaining({ message: 'an answer that cannot be shown', statusCode: 404, json: UNSHOWABLE }), null],
    ]);
  });

  it('a patched client passes on every other answer unchanged', () => {
    const answers: unknown[][] = [];
    const docker = catchAnswerErrors(newDocker());
    read(docker, 200, { Id: 'a' }, (...answer) => answers.push(answer));
    read(docker, 404, { message: 'gone' }, (...answer) => answers.push(answer));
    expect(answers).toEqual([
      [null, { Id: 'a' }],
      [expect.objectContaining({ statusCode: 404, message: expect.stringContaining('gone') }), null],
    ]);
  });

  it('the patch refuses a library without modem.buildPayload', () => {
    const docker = newDocker();
    Object.assign(docker.modem, { buildPayload: undefined });
    expect(() => catchAnswerErrors(docker)).toThrow(LibraryChangedError);
  });
});
