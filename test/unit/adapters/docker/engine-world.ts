import type Docker from 'dockerode';
import { expect } from 'vitest';
import { createContainerEngine } from '../../../../src/adapters/docker/container-engine.js';
import { createManualClock } from '../../../support/manual-clock.js';

export const ID = 'a1'.repeat(32);
export const TIMEOUT_MS = 1_000;

export type Answer = (abortSignal: AbortSignal) => Promise<unknown>;
export const answers =
  (body: unknown): Answer =>
  async () =>
    body;
export const fails =
  (fields: object, message = 'broken'): Answer =>
  async () => {
    throw Object.assign(new Error(message), fields);
  };
export const saysNo = (statusCode: number, message?: string): Answer =>
  fails({ statusCode, json: message === undefined ? Buffer.alloc(0) : { message } });
export const never: Answer = () => new Promise(() => undefined);

const NO_BODY = Buffer.alloc(0);
export const EXITED = { Id: ID, Name: '/g', Config: { Labels: null }, State: { Status: 'exited' } };
export const state = { kind: 'present', gameLabel: null, activity: 'idle', detail: 'exited' };
export const gone = saysNo(404, `No such container: ${ID}`);

/** The engine over a client that has only these three calls; any other call fails the test. */
export function createEngineWorld({
  look = answers(EXITED),
  remove = answers(NO_BODY),
  list = answers([]),
}: { look?: Answer; remove?: Answer; list?: Answer } = {}) {
  const clock = createManualClock();
  const requests: unknown[] = [];
  const signals: AbortSignal[] = [];
  const call =
    (name: string, id: string, answer: Answer) =>
    ({ abortSignal, ...options }: { readonly abortSignal: AbortSignal }) => {
      requests.push([name, id, options]);
      signals.push(abortSignal);
      return answer(abortSignal);
    };
  const docker = {
    getContainer: (id: string) => ({ inspect: call('inspect', id, look), remove: call('remove', id, remove) }),
    listContainers: call('list', '', list),
  } as unknown as Docker;
  return { clock, requests, signals, engine: createContainerEngine({ docker, clock, timeoutMs: TIMEOUT_MS }) };
}

/** What the promise rejects with. */
export const thrownBy = (ending: Promise<unknown>): Promise<unknown> =>
  ending.then(
    (value) => expect.unreachable(`resolved to ${JSON.stringify(value)}`),
    (error: unknown) => error,
  );
