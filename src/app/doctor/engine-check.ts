import { type EngineFacts, identifyEngine, pingEngine } from '../../adapters/docker/connection.js';
import { createContainerEngine } from '../../adapters/docker/container-engine.js';
import { withDeadline } from '../../async/deadline.js';
import type { Check } from '../../cli/command-context.js';
import { EngineRefusalError, messageOf, TimeoutError, UnavailableError } from '../../domain/errors.js';
import { DEFAULT_ENGINE } from '../../domain/runtime-record.js';
import { describeIdentity, isSameEngine, otherEngine } from '../../engines/decide-gone.js';
import { engineProblems } from '../../engines/engine-problems.js';
import type { EngineIdentity, EngineRecord } from '../../engines/engine-ports.js';
import type { NamedEngine } from '../connect/engine.js';
import type { Context } from '../context.js';

type Finding = Omit<Check, 'name'>;

const ENGINE_TIMEOUT_MS = 5_000;
const DATABASE_LIMIT_MS = 2_000;

/** What workers have stored; undefined: the database cannot be asked. */
export type StoredEngines = readonly EngineRecord[] | undefined;

/** The engine is checked without the database too, so an unavailable database is no error here: its own check reports it. */
export async function readStoredEngines(
  { clock }: Pick<Context, 'clock'>,
  opened: Promise<unknown>,
  list: () => Promise<readonly EngineRecord[]>,
): Promise<StoredEngines> {
  const late = (): TimeoutError => new TimeoutError('no answer', DATABASE_LIMIT_MS);
  return opened
    .then(() => withDeadline({ clock, limitMs: DATABASE_LIMIT_MS, late }, list))
    .catch((): StoredEngines => undefined);
}

type EngineContext = Pick<Context, 'clock' | 'signal'> & {
  readonly config: Pick<Context['config'], 'dockerTimeoutMs'>;
};

/** Whether the engine answers, is the one that owns the containers of its records, and lets them be removed. */
export async function checkEngine(
  { config, clock, signal }: EngineContext,
  { name, shown, connect }: NamedEngine,
  stored: StoredEngines,
): Promise<Finding> {
  const asked = { docker: connect(), clock, signal, timeoutMs: Math.min(ENGINE_TIMEOUT_MS, config.dockerTimeoutMs) };
  try {
    const facts = await pingEngine(asked);
    const identity = await identifyEngine(asked);
    const known = stored?.find((engine) => engine.name === name);
    if (known !== undefined && !isSameEngine(known.identity, identity)) {
      return {
        status: 'failed',
        detail: `${shown}: ${otherEngine(name, known.identity, identity)}`,
        advice: CHECK_FIRST,
      };
    }
    const refusal = await removalRefusal(asked);
    if (refusal !== undefined) return { status: 'failed', detail: `${shown}: ${refusal}`, advice: LET_REMOVE };
    return { status: 'ok', detail: `${shown}: ${factsInWords(facts, identity)}${comparison(stored, known)}` };
  } catch (error) {
    if (!(error instanceof UnavailableError)) throw error;
    return { status: 'failed', detail: `${shown}: ${error.message}`, advice: adviceFor(error, name) };
  }
}

const CHECK_FIRST =
  'find out which engine owns the containers; accept the other one only if it has them, or if they are gone';
const LET_REMOVE =
  'let the proxy before the engine pass DELETE /containers/<id>; until then no container can be removed';

function adviceFor(error: UnavailableError, name: string): string {
  if (error instanceof EngineRefusalError) return 'let the proxy before the engine pass GET /version and GET /info';
  return `start Docker, or set ${name === DEFAULT_ENGINE ? 'DOCKER_HOST' : 'RTMANAGER_DOCKER_HOSTS'}`;
}

const factsInWords = ({ version, apiVersion, os, arch }: EngineFacts, identity: EngineIdentity): string =>
  `version ${version}, API ${apiVersion}, ${os}/${arch}, ${describeIdentity(identity)}`;

function comparison(stored: StoredEngines, known: EngineRecord | undefined): string {
  if (stored === undefined) return '';
  return known === undefined ? ', not used by a worker yet' : ', as stored';
}

/** An engine has no such container: ids are digests. */
const NO_CONTAINER = '0'.repeat(64);

/** Why no container can be removed; undefined where the engine carries out removals: it says that there is no such container. */
async function removalRefusal(
  asked: Parameters<typeof pingEngine>[0] & Pick<Context, 'signal'>,
): Promise<string | undefined> {
  try {
    await createContainerEngine(asked).remove(NO_CONTAINER, asked.signal);
    return undefined;
  } catch (error) {
    asked.signal.throwIfAborted();
    return `it shows containers, and refuses to remove one: ${messageOf(error)}`;
  }
}

interface Known {
  readonly stored: readonly EngineRecord[];
  /** The names that records give to engines, with their numbers of records. */
  readonly named: ReadonlyMap<string, number>;
  /** The names of the engines that are configured here. */
  readonly here: readonly string[];
}

/** Whether each record's engine is known, is the right one, and shows its containers, as far as workers have seen. */
export function enginesFinding({ stored, named, here }: Known): Finding {
  const problems = stored.flatMap(engineProblems);
  const elsewhere = [...named].filter(([name]) => !here.includes(name));
  const unused = elsewhere.filter(([name]) => !stored.some((engine) => engine.name === name));
  const all = [...problems, ...elsewhere.map(([name, records]) => notHere(name, records))];
  const advice = [...(problems.length > 0 ? [CHECK_FIRST] : []), ...(elsewhere.length > 0 ? [NAME_ENGINES] : [])].join(
    '; ',
  );
  if (all.length === 0) {
    const known = stored.length === 0 ? 'no worker has used an engine yet' : `known: ${namesOf(stored)}`;
    return { status: 'ok', detail: known };
  }
  // Another worker may have an engine that is not configured here; an engine that none has used has no worker.
  const hasFailed = problems.length > 0 || unused.length > 0;
  return { status: hasFailed ? 'failed' : 'warn', detail: all.join('; '), advice };
}

const NAME_ENGINES =
  'name these engines in RTMANAGER_DOCKER_HOSTS of the workers, or correct docker_host in the records';

const namesOf = (stored: readonly EngineRecord[]): string => stored.map(({ name }) => name).join(', ');

function notHere(name: string, records: number): string {
  const those = records === 1 ? '1 record names' : `${records} records name`;
  return `${those} the engine ${JSON.stringify(name)}, which is not configured here`;
}
