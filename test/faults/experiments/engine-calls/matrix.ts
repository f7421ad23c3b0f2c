/** Every fault on every kind of call, in one process, between the product's adapter and a real engine. */
import type { Finding, Options, Servers } from '../../experiment.js';
import {
  type EngineFaultProxy,
  type FaultRule,
  startEngineFaultProxy,
} from '../../../support/engine/engine-fault-proxy.js';
import { createTestContainers, type TestContainers } from '../../../support/engine/test-containers.js';
import type { Broken } from '../../laboratory/checks.js';
import { engineFaults, type NamedFault } from './faults.js';
import { asViolations, type Call, createProbe, type EndingKind, leavingNothing, type Probe } from './probe.js';

const TIMEOUT_MS = 400;
/** For answers that must arrive in time also from a busy engine. */
const PATIENT_MS = 30_000;
const MISSING = 'f'.repeat(64);

interface Situation {
  readonly name: string;
  readonly call: Call;
  readonly container: 'stopped' | 'running' | 'missing';
  /** Which requests the fault meets. */
  readonly meets: (request: { readonly method: string }) => boolean;
  /** How the call ends when the engine's whole answer arrives. */
  readonly whole: EndingKind;
  /** Whether the engine's whole answer to the last request arrives under every fault. */
  readonly looksFreely: boolean;
}

const all = (): boolean => true;
const removals = ({ method }: { readonly method: string }): boolean => method === 'DELETE';

const SITUATIONS: readonly Situation[] = [
  { name: 'ping', call: 'ping', container: 'missing', meets: all, whole: 'facts', looksFreely: false },
  { name: 'look, stopped', call: 'look', container: 'stopped', meets: all, whole: 'present', looksFreely: false },
  { name: 'look, missing', call: 'look', container: 'missing', meets: all, whole: 'gone', looksFreely: false },
  {
    name: 'removal, running',
    call: 'remove',
    container: 'running',
    meets: all,
    whole: 'still_there',
    looksFreely: false,
  },
  { name: 'removal, missing', call: 'remove', container: 'missing', meets: all, whole: 'gone', looksFreely: false },
  { name: 'removal, stopped', call: 'remove', container: 'stopped', meets: all, whole: 'gone', looksFreely: false },
  {
    name: 'removal, then a free look',
    call: 'remove',
    container: 'stopped',
    meets: removals,
    whole: 'gone',
    looksFreely: true,
  },
];

export interface MatrixOptions extends Pick<Options, 'seed' | 'runs' | 'say'> {
  readonly faults?: readonly NamedFault[];
}

/** One finding for each fault; every call of all of them runs in this process, the faults side by side. */
export const callMatrix = (
  servers: Pick<Servers, 'engineSocket'>,
  options: MatrixOptions,
): Promise<readonly Finding[]> => leavingNothing(options.seed, () => everyFault(servers, options));

async function everyFault(
  { engineSocket }: Pick<Servers, 'engineSocket'>,
  { seed, runs, say, faults = engineFaults(TIMEOUT_MS) }: MatrixOptions,
): Promise<readonly Finding[]> {
  const containers = await createTestContainers(engineSocket);
  try {
    const running = await containers.make('running');
    const findings = await Promise.all(
      faults.map(async (named) => {
        const broken = await withFault(named, { engineSocket, containers, running, runs });
        say(`engine-calls, in one process: ${named.name}: ${broken.length} broken`);
        const violations = asViolations(broken, seed, [`fault: ${JSON.stringify(named.fault)}`]);
        return {
          fault: `engine: ${named.name}, each call`,
          store: 'both',
          runs: runs * SITUATIONS.length,
          violations,
          recoveriesMs: [],
        } as const;
      }),
    );
    const state = await containers.stateOf(running);
    if (state === 'running') return findings;
    const what = `the container that all of them had to leave alone is ${state}`;
    const violations = [{ check: 'never a wrong removal', what, seed, history: [] }];
    return [...findings, { fault: 'engine: all of these', store: 'both', runs: 1, violations, recoveriesMs: [] }];
  } finally {
    await containers.clear();
  }
}

interface Place {
  readonly engineSocket: string;
  readonly containers: TestContainers;
  /** The id of a container that runs. */
  readonly running: string;
  readonly runs: number;
}

async function withFault(
  named: NamedFault,
  { engineSocket, containers, running, runs }: Place,
): Promise<readonly Broken[]> {
  const proxy = await startEngineFaultProxy({ engineSocket });
  const probe = createProbe(named.tells === 'all' ? PATIENT_MS : TIMEOUT_MS);
  const broken: Broken[] = [];
  try {
    for (let run = 0; run < runs; run += 1) {
      for (const situation of SITUATIONS) {
        const { container } = situation;
        const id =
          container === 'stopped' ? await containers.make('created') : container === 'running' ? running : MISSING;
        broken.push(...(await meet(named, situation, { proxy, probe, containers, id })));
      }
    }
    broken.push(...(await probe.leftovers([proxy])));
  } finally {
    await proxy.close();
  }
  return broken;
}

interface Meeting {
  readonly proxy: EngineFaultProxy;
  readonly probe: Probe;
  readonly containers: TestContainers;
  readonly id: string;
}

async function meet(
  { fault, tells }: NamedFault,
  { name, call, meets, whole, looksFreely }: Situation,
  { proxy, probe, containers, id }: Meeting,
): Promise<readonly Broken[]> {
  const rule: FaultRule = (request) => (meets(request) ? fault : undefined);
  proxy.use(rule);
  const { kind, text, broken } = await probe.call(call, proxy.host, id);
  const found: Broken[] = [...broken];
  const answers = proxy.requests().map(({ method, engineStatus }) => `${method} ${engineStatus ?? 'no answer'}`);
  const what = `${name}: ${text} after ${answers.join(', ')}`;
  const isTold = tells === 'all' || looksFreely || (tells === 'what has no body' && answers.at(-1) === 'DELETE 204');
  if (kind === 'gone' && !isTold) found.push({ check: "gone on the engine's whole word alone", what });
  if (kind === 'gone' && (await containers.stateOf(id)) !== 'missing') found.push({ check: 'gone is gone', what });
  if (tells === 'all' && kind !== whole) found.push({ check: 'a whole answer in time is believed', what });
  return found;
}
