import { mkdtemp, rm } from 'node:fs/promises';
import { Agent, createServer, request, type IncomingMessage, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** What happens to one request. Without a fault it passes untouched. */
export type EngineFault =
  /** Forwarded after `ms`. */
  | { readonly kind: 'delay'; readonly ms: number }
  /** Never forwarded; this status with `{"message"}` is the answer. */
  | { readonly kind: 'status'; readonly status: number; readonly message: string }
  /** Never forwarded; the connection closes. */
  | { readonly kind: 'reset' }
  /** The engine does it; the connection closes without an answer. */
  | { readonly kind: 'lost-answer' }
  /** Never forwarded, never answered. */
  | { readonly kind: 'hang' }
  /** The engine does it; the answer never comes. */
  | { readonly kind: 'hang-after' }
  /** The engine does it; headers and half of the body arrive, then the connection closes. */
  | { readonly kind: 'truncated-body' }
  /** The engine does it; the body arrives in pieces of `bytes` every `ms`. */
  | { readonly kind: 'slow-body'; readonly ms: number; readonly bytes: number };

interface RequestSeen {
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

export interface EngineFaultProxy {
  readonly socketPath: string;
  /** All requests since the start or the last `use`, in order of arrival. */
  readonly requests: () => readonly RequestSeen[];
  /** Replaces the rule and forgets the requests seen so far. Requests already under way keep their fault. */
  readonly use: (rule: FaultRule) => void;
  readonly close: () => Promise<void>;
}

interface EngineAnswer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
}

const bodyOf = async (message: IncomingMessage): Promise<Buffer> => {
  const parts: Buffer[] = [];
  for await (const part of message) parts.push(part as Buffer);
  return Buffer.concat(parts);
};

const sendHalf = (response: ServerResponse, { status, headers, body }: EngineAnswer): void => {
  // A 204 has no body that could be cut off, so it becomes a 200 that has one.
  const whole = body.length > 0 ? body : Buffer.from('{"message":"cut off"}');
  const type = headers['content-type'] ?? 'application/json';
  response.writeHead(body.length > 0 ? status : 200, { 'content-type': type, 'content-length': whole.length });
  response.write(whole.subarray(0, Math.floor(whole.length / 2)), () => {
    setImmediate(() => response.destroy());
  });
};

const sendSlowly = async (response: ServerResponse, answer: EngineAnswer, ms: number, bytes: number) => {
  response.writeHead(answer.status, answer.headers);
  for (let at = 0; at < answer.body.length && !response.destroyed; at += bytes) {
    response.write(answer.body.subarray(at, at + bytes));
    await sleep(ms);
  }
  response.end();
};

const answerWithFault = async (fault: EngineFault, answer: EngineAnswer, response: ServerResponse): Promise<void> => {
  switch (fault.kind) {
    case 'lost-answer':
      response.destroy();
      return;
    case 'hang-after':
      return;
    case 'truncated-body':
      sendHalf(response, answer);
      return;
    case 'slow-body':
      await sendSlowly(response, answer, fault.ms, fault.bytes);
      return;
    case 'delay':
    case 'status':
    case 'reset':
    case 'hang':
      response.writeHead(answer.status, answer.headers);
      response.end(answer.body);
  }
};

/** True when the request was dealt with and must not reach the engine. */
const stoppedBefore = async (fault: EngineFault | undefined, response: ServerResponse): Promise<boolean> => {
  switch (fault?.kind) {
    case 'hang':
      return true;
    case 'reset':
      response.destroy();
      return true;
    case 'status':
      response.writeHead(fault.status, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ message: fault.message }));
      return true;
    case 'delay':
      await sleep(fault.ms);
      return false;
    case 'lost-answer':
    case 'hang-after':
    case 'truncated-body':
    case 'slow-body':
    case undefined:
      return false;
  }
};

/**
 * An HTTP proxy from a unix socket of its own to an engine's, which does to each request what `rule` says. Give the
 * code under test its `socketPath`.
 */
export const startEngineFaultProxy = async ({
  engineSocket,
  rule = () => undefined,
}: {
  readonly engineSocket: string;
  readonly rule?: FaultRule;
}): Promise<EngineFaultProxy> => {
  const folder = await mkdtemp(join(tmpdir(), 'engine-proxy-'));
  const socketPath = join(folder, 'engine.sock');
  const agent = new Agent({ keepAlive: true });
  let current = rule;
  let seen: RequestSeen[] = [];

  const record = (incoming: IncomingMessage): [RequestSeen, EngineFault | undefined] => {
    const { method = '', url = '' } = incoming;
    const nth = seen.filter((earlier) => earlier.method === method).length + 1;
    const fault = current({ method, url, nth });
    const entry: RequestSeen = { method, url, nth, fault: fault?.kind ?? null, engineStatus: null };
    seen.push(entry);
    return [entry, fault];
  };

  const relay = async (
    engineAnswer: IncomingMessage,
    entry: RequestSeen,
    fault: EngineFault | undefined,
    response: ServerResponse,
  ) => {
    const { statusCode: status = 502, headers } = engineAnswer;
    entry.engineStatus = status;
    if (fault === undefined) {
      // Streamed: calls like `wait` and `logs` answer bit by bit.
      response.writeHead(status, headers);
      engineAnswer.pipe(response);
      engineAnswer.once('error', () => response.destroy());
      return;
    }
    await answerWithFault(fault, { status, headers, body: await bodyOf(engineAnswer) }, response);
  };

  const serve = async (incoming: IncomingMessage, response: ServerResponse): Promise<void> => {
    const [entry, fault] = record(incoming);
    if (await stoppedBefore(fault, response)) return;
    const { method, url: path, headers } = incoming;
    const forwarded = request({ socketPath: engineSocket, agent, method, path, headers }, (engineAnswer) => {
      relay(engineAnswer, entry, fault, response).catch(() => response.destroy());
    });
    forwarded.once('error', () => response.destroy());
    incoming.pipe(forwarded);
  };

  const server = createServer((incoming, response) => {
    serve(incoming, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(socketPath, resolve);
  });
  return {
    socketPath,
    requests: () => seen,
    use: (next) => {
      current = next;
      seen = [];
    },
    close: async () => {
      const closed = new Promise<void>((resolve) => {
        server.close(() => resolve());
      });
      server.closeAllConnections();
      agent.destroy();
      await closed;
      await rm(folder, { recursive: true, force: true });
    },
  };
};
