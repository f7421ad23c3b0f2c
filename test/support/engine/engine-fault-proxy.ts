import { mkdtemp, rm } from 'node:fs/promises';
import { type ClientRequest, createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Changes, createChanges, type Until } from '../changes.js';
import { answerWithFault, type EngineFault, stoppedBefore } from './engine-faults.js';
import { askEngine } from './engine-raw-answers.js';

export type { EngineFault } from './engine-faults.js';

export interface RequestSeen {
  readonly method: string;
  /** Path and query as they came over the wire. */
  readonly url: string;
  /** 1 for the first request of this method, and so on. */
  readonly nth: number;
  readonly fault: EngineFault['kind'] | null;
  /** The engine's own answer, also when it was kept from the caller; null while or when there is none. */
  engineStatus: number | null;
}

export type FaultRule = (request: Pick<RequestSeen, 'method' | 'url' | 'nth'>) => EngineFault | undefined;

/** Each holds the request for as long as its promise is open. */
interface EngineHooks {
  /** Before anything is done to the request. */
  readonly onRequest?: (seen: Readonly<RequestSeen>) => Promise<void>;
  /** After the engine did it, before the caller hears anything of it. */
  readonly onAnswer?: (seen: Readonly<RequestSeen>) => Promise<void>;
}

export interface EngineFaultProxy {
  /** Empty where the proxy listens on TCP. */
  readonly socketPath: string;
  /** What `DOCKER_HOST` must be to get here. */
  readonly host: string;
  /** All requests since the start or the last `use`, in order of arrival. */
  readonly requests: () => readonly RequestSeen[];
  /** The assertion is checked at each request and at each answer of the engine. */
  readonly until: Until;
  /** Replaces the rule and forgets the requests seen so far. Requests already under way keep their fault. */
  readonly use: (rule: FaultRule) => void;
  /** Replaces the hooks; a request that is held goes on being held by the old one. */
  readonly hook: (hooks: EngineHooks) => void;
  /** Requests from now on go to the engine at this socket. */
  readonly redirect: (engineSocket: string) => void;
  /** How many requests have not come to their end: the caller still holds its connection open for the answer. */
  readonly pending: () => number;
  readonly close: () => Promise<void>;
}

const bodyOf = async (message: IncomingMessage): Promise<Buffer> => {
  const parts: Buffer[] = [];
  for await (const part of message) parts.push(part as Buffer);
  return Buffer.concat(parts);
};

const hasBody = ({ headers }: IncomingMessage): boolean =>
  headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;

/** Remembers each request and asks the rule what is to become of it. */
const createJournal = (first: FaultRule, changes: Changes) => {
  let rule = first;
  let seen: RequestSeen[] = [];
  let counts = new Map<string, number>();
  return {
    requests: (): readonly RequestSeen[] => seen,
    use: (next: FaultRule): void => {
      rule = next;
      seen = [];
      counts = new Map();
    },
    record: ({ method = '', url = '' }: IncomingMessage): readonly [RequestSeen, EngineFault | undefined] => {
      const nth = (counts.get(method) ?? 0) + 1;
      counts.set(method, nth);
      const fault = rule({ method, url, nth });
      const entry: RequestSeen = { method, url, nth, fault: fault?.kind ?? null, engineStatus: null };
      seen.push(entry);
      changes.notify();
      return [entry, fault];
    },
  };
};

interface ProxyOptions {
  readonly engineSocket: string;
  readonly rule?: FaultRule;
  readonly hooks?: EngineHooks;
  /** Over TCP a connection can be reset, which a unix socket does not know. */
  readonly listen?: 'unix' | 'tcp';
}

/**
 * An HTTP proxy in front of an engine's unix socket, on an address of its own, which does to each request what `rule`
 * says. Give the code under test its `host`, or its `socketPath`. It costs a socket; have as many as you like.
 */
export const startEngineFaultProxy = async ({
  engineSocket,
  rule = () => undefined,
  hooks: firstHooks = {},
  listen = 'unix',
}: ProxyOptions): Promise<EngineFaultProxy> => {
  const changes = createChanges();
  const journal = createJournal(rule, changes);
  const underWay = new Set<ClientRequest>();
  let hooks = firstHooks;
  let pending = 0;
  let target = engineSocket;

  const relay = async (
    engineAnswer: IncomingMessage,
    raw: () => Buffer,
    [entry, fault]: readonly [RequestSeen, EngineFault | undefined],
    response: ServerResponse,
  ): Promise<void> => {
    const { statusCode: status = 502, headers } = engineAnswer;
    entry.engineStatus = status;
    changes.notify();
    await hooks.onAnswer?.(entry);
    if (fault === undefined) {
      // Streamed: calls like `wait` and `logs` answer bit by bit.
      response.writeHead(status, headers);
      response.flushHeaders();
      engineAnswer.pipe(response);
      engineAnswer.once('error', () => response.destroy());
      response.once('close', () => engineAnswer.destroy());
      return;
    }
    const body = await bodyOf(engineAnswer);
    await answerWithFault(fault, { status, headers, body, raw: raw() }, response, response.req.socket);
  };

  const serve = async (incoming: IncomingMessage, response: ServerResponse): Promise<void> => {
    const recorded = journal.record(incoming);
    const [entry, fault] = recorded;
    await hooks.onRequest?.(entry);
    if (await stoppedBefore(fault, response, incoming.socket)) return;
    if (!server.listening) return;
    const { method = '', url: path = '', headers } = incoming;
    const forwarded = askEngine({ engineSocket: target, method, path, headers }, (engineAnswer, raw) => {
      relay(engineAnswer, raw, recorded, response).catch(() => response.destroy());
    });
    underWay.add(forwarded);
    forwarded.once('close', () => underWay.delete(forwarded));
    forwarded.once('error', () => response.destroy());
    // A caller that has left meanwhile ends no stream any more; what it asked for is carried out all the same.
    if (hasBody(incoming)) incoming.pipe(forwarded);
    else forwarded.end();
  };

  const server = createServer((incoming, response) => {
    pending += 1;
    response.once('close', () => {
      pending -= 1;
      changes.notify();
    });
    serve(incoming, response).catch(() => response.destroy());
  });
  // A caller that disconnects is expected.
  server.on('connection', (socket) => socket.on('error', () => undefined));
  const folder = listen === 'unix' ? await mkdtemp(join(tmpdir(), 'engine-proxy-')) : undefined;
  const socketPath = folder === undefined ? '' : join(folder, 'engine.sock');
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    if (folder === undefined) server.listen(0, '127.0.0.1', resolve);
    else server.listen(socketPath, resolve);
  });
  return {
    socketPath,
    host: folder === undefined ? `tcp://127.0.0.1:${(server.address() as AddressInfo).port}` : `unix://${socketPath}`,
    requests: journal.requests,
    until: changes.until,
    use: journal.use,
    hook: (next) => {
      hooks = next;
    },
    redirect: (next) => {
      target = next;
    },
    pending: () => pending,
    close: async () => {
      const closed = new Promise<void>((resolve) => {
        server.close(() => resolve());
      });
      server.closeAllConnections();
      for (const forwarded of underWay) forwarded.destroy();
      await closed;
      if (folder !== undefined) await rm(folder, { recursive: true, force: true });
    },
  };
};
