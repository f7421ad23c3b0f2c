import { describe, expect, it } from 'vitest';
import {
  judgeContainer,
  judgeEngine,
  judgeOrphans,
  type Orphan,
  type RemovedContainer,
} from '../../../src/audit/judge-containers.js';
import type { ContainerNaming } from '../../../src/audit/audit-ports.js';
import type { EngineIdentity } from '../../../src/engines/engine-ports.js';
import { CONTAINER_ID, OTHER_CONTAINER_ID } from '../../support/records.js';
import { IDENTITY } from './audit-world.js';

describe('a container of a removed record', () => {
  const present = { kind: 'present', activity: 'idle', detail: 'exited' } as const;
  const container = (over: Partial<RemovedContainer> = {}): RemovedContainer => ({
    gameId: 'game-1',
    containerId: CONTAINER_ID,
    engine: 'default',
    removal: 'removed',
    ...over,
  });

  it('a removed record whose container is gone is sound', () => {
    expect(judgeContainer(container(), { kind: 'gone' })).toBeUndefined();
  });

  it('a removed record whose container exists is broken, and the finding shows its state and its engine', () => {
    expect(judgeContainer(container({ engine: 'blue' }), present)).toMatchObject({
      severity: 'broken',
      gameId: 'game-1',
      containerId: CONTAINER_ID,
      what: 'the record is removed, but the engine "blue" has its container: idle (exited)',
      advice: expect.stringContaining('docker inspect'),
    });
  });

  it('a container that was recorded as already gone and exists has the advice to reopen the record', () => {
    expect(judgeContainer(container({ removal: 'already_gone' }), present)).toMatchObject({
      severity: 'broken',
      advice: expect.stringContaining('"runtime-cleanup records reopen <game-id>"'),
    });
  });
});

describe('containers that no live record names', () => {
  const orphan = (record: ContainerNaming['record'], over: Partial<Orphan> = {}): Orphan => ({
    containerId: CONTAINER_ID,
    gameLabel: 'game-1',
    status: 'exited',
    engine: 'default',
    record,
    ...over,
  });

  const records: readonly [
    situation: string,
    gameId: string | null,
    record: ContainerNaming['record'],
    text: string,
  ][] = [
    ['no record', 'game-1', null, 'the game has no record'],
    ['no label of a game', null, null, 'the label of a game is missing'],
    ['stopped without id', 'game-1', { status: 'stopped', containerId: null }, '"stopped" and names no container'],
    ['stopped with empty id', 'game-1', { status: 'stopped', containerId: '' }, '"stopped" and names no container'],
    ['removed', 'game-1', { status: 'removed', containerId: null }, '"removed" and names no container'],
    [
      'running with another one',
      'game-1',
      { status: 'running', containerId: OTHER_CONTAINER_ID },
      '"running" and names another container, or this one on another engine',
    ],
  ];

  it.each(records)('the finding says of the game: %s', (_situation, gameId, record, text) => {
    const finding = judgeOrphans(gameId, [orphan(record)]);
    expect(finding).toMatchObject({ severity: 'warning', gameId, containerId: CONTAINER_ID });
    expect(finding.what).toContain(text);
    expect(finding.what).toContain(`a container is named by no live record`);
    expect(finding.what).toContain(`${CONTAINER_ID} (exited, engine "default")`);
  });

  it('one finding counts all containers of a game and names the first five', () => {
    const orphans = Array.from({ length: 7 }, (_none, at) =>
      orphan(null, { containerId: at.toString(16).padStart(64, '0') }),
    );
    const { what } = judgeOrphans('game-1', orphans);
    expect(what).toContain('7 containers are named by no live record');
    expect(what).toMatch(/and 2 more$/);
    expect(what.match(/[0-9a-f]{64}/g)).toHaveLength(5);
  });
});

describe('an engine', () => {
  const other: EngineIdentity = { ...IDENTITY, rootDir: '/mnt/empty' };
  const engine = (over: Partial<Parameters<typeof judgeEngine>[0]> = {}) => ({
    name: 'blue',
    identity: IDENTITY,
    observed: null,
    missing: 0,
    ...over,
  });
  const accept = 'runtime-cleanup engines accept blue';

  it('an engine with its own identity that misses no container is sound', () => {
    expect(judgeEngine(engine(), IDENTITY)).toEqual([]);
  });

  it('an engine with another identity is broken, and the finding names both and the command that accepts it', () => {
    const [finding, ...rest] = judgeEngine(engine({ observed: other }), other);
    expect(rest).toEqual([]);
    expect(finding).toMatchObject({ severity: 'broken', advice: expect.stringContaining(accept) });
    expect(finding?.what).toContain('root /mnt/empty');
    expect(finding?.what).toContain('root /var/lib/docker');
  });

  it('an engine that answers rightly here and not to a worker is broken', () => {
    const findings = judgeEngine(engine({ observed: other }), IDENTITY);
    expect(findings).toMatchObject([{ severity: 'broken', advice: expect.stringContaining(accept) }]);
    expect(findings[0]?.what).toContain('a worker has last seen another engine');
  });

  it('an engine that misses containers without evidence is broken', () => {
    const findings = judgeEngine(engine({ missing: 3 }), IDENTITY);
    expect(findings).toMatchObject([{ severity: 'broken', advice: expect.stringContaining(accept) }]);
    expect(findings[0]?.what).toContain('3 containers of stopped records are gone');
  });
});
