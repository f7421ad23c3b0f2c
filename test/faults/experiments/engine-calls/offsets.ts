/** Answers of a real engine, cut at every byte. */
import type { Finding, Options, Servers } from '../../experiment.js';
import { type EngineFaultProxy, startEngineFaultProxy } from '../../../support/engine/engine-fault-proxy.js';
import { type Ending as ConnectionEnd, rawAnswer } from '../../../support/engine/engine-raw-answers.js';
import { createTestContainers } from '../../../support/engine/test-containers.js';
import type { Broken } from '../../laboratory/checks.js';
import { asViolations, type Call, createProbe, type EndingKind, leavingNothing, type Probe } from './probe.js';

// Most cuts are noticed by the deadline alone.
const TIMEOUT_MS = 250;
const LANES = 64;

interface RealAnswer {
  readonly name: string;
  readonly call: Call;
  /** As the engine sent it, for the container `id`. */
  readonly bytes: Buffer;
  readonly id: string;
  /** What the whole of it means. */
  readonly whole: EndingKind;
  /** A whole description of the container, for the look that follows a removal. */
  readonly description: Buffer;
}

/** One answer of each kind, taken from the engine as bytes. */
async function takeAnswers(engineSocket: string): Promise<readonly RealAnswer[]> {
  const containers = await createTestContainers(engineSocket);
  try {
    const [stopped, running] = [await containers.make('created'), await containers.make('running')];
    const missing = '0'.repeat(64);
    const ask = (method: string, path: string): Promise<Buffer> => rawAnswer({ engineSocket, method, path });
    const description = await ask('GET', `/containers/${stopped}/json`);
    const removalOf = (id: string, query = ''): Promise<Buffer> => ask('DELETE', `/containers/${id}?v=true${query}`);
    const answers: readonly Omit<RealAnswer, 'description'>[] = [
      { name: '/version 200', call: 'ping', bytes: await ask('GET', '/version'), id: missing, whole: 'facts' },
      { name: 'inspect 200', call: 'look', bytes: description, id: stopped, whole: 'present' },
      {
        name: 'inspect 404',
        call: 'look',
        bytes: await ask('GET', `/containers/${missing}/json`),
        id: missing,
        whole: 'gone',
      },
      // The only 500 that an engine in good health gives for the asking; it removes nothing.
      {
        name: 'remove 500',
        call: 'remove',
        bytes: await removalOf(stopped, '&link=1'),
        id: stopped,
        whole: 'still_there',
      },
      { name: 'remove 409', call: 'remove', bytes: await removalOf(running), id: running, whole: 'still_there' },
      { name: 'remove 404', call: 'remove', bytes: await removalOf(missing), id: missing, whole: 'gone' },
      { name: 'remove 204', call: 'remove', bytes: await removalOf(stopped), id: stopped, whole: 'gone' },
    ];
    return answers.map(({ name, call, bytes, id, whole }) => {
      const start = bytes.subarray(0, 80).toString('latin1');
      const isMeant = start.startsWith(`HTTP/1.1 ${name.slice(-3)} `);
      if (!isMeant) throw new Error(`the engine answered ${JSON.stringify(start)} for ${name}`);
      return { name, call, bytes, id, whole, description: rename(description, stopped, id) };
    });
  } finally {
    await containers.clear();
  }
}

const rename = (bytes: Buffer, from: string, to: string): Buffer =>
  Buffer.from(bytes.toString('latin1').replaceAll(from, to), 'latin1');

export interface OffsetOptions extends Pick<Options, 'seed' | 'say'> {
  /** 1 for every offset; more leaves some of the longest answer's out. */
  readonly stride: number;
  readonly end: ConnectionEnd;
}

/** One finding for each kind of answer. */
export const cutEverywhere = (
  servers: Pick<Servers, 'engineSocket'>,
  options: OffsetOptions,
): Promise<readonly Finding[]> => leavingNothing(options.seed, () => everyAnswer(servers, options));

async function everyAnswer(
  { engineSocket }: Pick<Servers, 'engineSocket'>,
  { seed, say, stride, end }: OffsetOptions,
): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  for (const answer of await takeAnswers(engineSocket)) {
    const step = answer.bytes.length > 1_000 ? stride : 1;
    const count = Math.ceil(answer.bytes.length / step);
    const offsets = [...Array.from({ length: count }, (_, index) => index * step), answer.bytes.length];
    const broken = await cutAt(answer, offsets, { engineSocket, end });
    say(`engine-calls: ${answer.name} cut at ${offsets.length} places, ${end}: ${broken.length} broken`);
    findings.push({
      fault: `engine: ${answer.name} cut at every byte, ${end}`,
      store: 'both',
      runs: offsets.length,
      violations: asViolations(broken, seed, [answer.bytes.toString('latin1')]),
      recoveriesMs: [],
    });
  }
  return findings;
}

interface Place {
  readonly engineSocket: string;
  readonly end: ConnectionEnd;
}

async function cutAt(answer: RealAnswer, offsets: readonly number[], place: Place): Promise<readonly Broken[]> {
  const left = [...offsets];
  const probe = createProbe(TIMEOUT_MS);
  const broken: Broken[] = [];
  const proxies: EngineFaultProxy[] = [];
  const lane = async (): Promise<void> => {
    let offset = 0;
    const proxy = await startEngineFaultProxy({
      engineSocket: place.engineSocket,
      listen: place.end === 'reset' ? 'tcp' : 'unix',
      rule: ({ method }) =>
        answer.call === 'remove' && method === 'GET'
          ? { kind: 'replay', bytes: answer.description, end: 'fin' }
          : { kind: 'replay', bytes: answer.bytes.subarray(0, offset), end: place.end },
    });
    proxies.push(proxy);
    for (let next = left.shift(); next !== undefined; next = left.shift()) {
      offset = next;
      broken.push(...(await judge(answer, offset, { probe, proxy, end: place.end })));
    }
  };
  try {
    await Promise.all(Array.from({ length: Math.min(LANES, offsets.length) }, lane));
    broken.push(...(await probe.leftovers(proxies)));
  } finally {
    await Promise.all(proxies.map((proxy) => proxy.close()));
  }
  return broken;
}

interface Meeting {
  readonly probe: Probe;
  readonly proxy: EngineFaultProxy;
  readonly end: ConnectionEnd;
}

async function judge(answer: RealAnswer, offset: number, { probe, proxy, end }: Meeting): Promise<readonly Broken[]> {
  const { kind, text, broken } = await probe.call(answer.call, proxy.host, answer.id);
  const isWhole = offset === answer.bytes.length;
  const wanted = isWhole ? answer.whole : 'outage';
  if (kind === wanted) return broken;
  // A reset behind a whole answer may overtake it; and the look that follows a refusal may be sent on a connection
  // whose end is not yet known.
  const isFollowed = answer.whole === 'still_there';
  if (isWhole && (end === 'reset' || isFollowed) && kind === 'outage') return broken;
  const check = isWhole ? 'a whole answer in time is believed' : 'an answer that is cut off says nothing';
  const what = `${answer.name}, ${offset} of ${answer.bytes.length} bytes: ${text} instead of ${wanted}`;
  return [...broken, { check, what }];
}
