import { EventEmitter } from 'node:events';
import { expect, it } from 'vitest';
import { endOnEarlySignals } from '../../../../src/cli/process/stop-signals.js';

/** A process that records its exit codes instead of ending. */
function createProcess() {
  const emitter = new EventEmitter();
  const exits: number[] = [];
  return { process: Object.assign(emitter, { exit: (code: number) => void exits.push(code) }), exits };
}

it.each([
  ['SIGHUP', 129],
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const)('an early %s ends the process with %d, as the kernel would', (name, exitCode) => {
  const { process, exits } = createProcess();
  endOnEarlySignals(process);
  process.emit(name);
  expect(exits).toEqual([exitCode]);
});

it('a signal with a listener goes to that listener only, and the others still end the process', () => {
  const { process, exits } = createProcess();
  const heard: string[] = [];
  endOnEarlySignals(process).on('SIGTERM', () => heard.push('SIGTERM'));
  process.emit('SIGTERM');
  expect({ heard, exits }).toEqual({ heard: ['SIGTERM'], exits: [] });
  process.emit('SIGINT');
  expect(exits).toEqual([130]);
});

it('a signal whose listener was removed is left to Node', () => {
  const { process, exits } = createProcess();
  const source = endOnEarlySignals(process);
  const listener = (): void => undefined;
  source.on('SIGTERM', listener);
  source.off('SIGTERM', listener);
  expect(process.listenerCount('SIGTERM')).toBe(0);
  expect(exits).toEqual([]);
});
