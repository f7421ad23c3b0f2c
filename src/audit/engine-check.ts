/** Whether each engine is the one that owns the containers of its records. */
import { messageOf } from '../domain/errors.js';
import { isSameEngine, otherEngine } from '../engines/decide-gone.js';
import type { EngineIdentity } from '../engines/engine-ports.js';
import type { AuditedEngines, AuditEngines } from './audit-ports.js';
import type { Tally } from './audit-report.js';
import { judgeEngine, judgeUnconfigured } from './judge-containers.js';

export interface EngineSubject {
  readonly engines: Pick<AuditEngines, 'names' | 'identify'>;
  readonly registry: AuditedEngines;
  readonly signal: AbortSignal;
}

export async function checkEngines(subject: EngineSubject, tally: Tally): Promise<void> {
  const { engines, registry } = subject;
  const stored = await storedEngines(registry);
  const names = engines.names();
  for (const name of names) {
    const answered = await identified(subject, name, tally);
    if (answered === undefined) continue;
    tally.judged(1);
    const record = stored.get(name);
    if (record === undefined) {
      tally.note(`the engine ${JSON.stringify(name)} has not been used yet; its identity is stored at its first use`);
      continue;
    }
    for (const finding of judgeEngine(record, answered)) tally.found(finding);
  }
  for (const [name, records] of await registry.named()) {
    if (!names.includes(name)) tally.found(judgeUnconfigured(name, records));
  }
}

/**
 * The engines whose answers count: they answer now, and are the ones that own the containers of their records. What
 * another engine says about those containers means nothing, so each such engine makes the invariant unknown.
 */
export async function trustedEngines(subject: EngineSubject, tally: Tally): Promise<readonly string[]> {
  const stored = await storedEngines(subject.registry);
  const trusted: string[] = [];
  for (const name of subject.engines.names()) {
    const answered = await identified(subject, name, tally);
    if (answered === undefined) continue;
    const identity = stored.get(name)?.identity ?? answered;
    if (isSameEngine(identity, answered)) trusted.push(name);
    else tally.markUnknown(otherEngine(name, identity, answered));
  }
  return trusted;
}

const storedEngines = async (registry: AuditedEngines) =>
  new Map((await registry.list()).map((record) => [record.name, record]));

async function identified(
  { engines, signal }: EngineSubject,
  name: string,
  tally: Tally,
): Promise<EngineIdentity | undefined> {
  try {
    return await engines.identify(name, signal);
  } catch (error) {
    signal.throwIfAborted();
    tally.markUnknown(messageOf(error));
    return undefined;
  }
}
