/** Calls the HTTP API, and shows each call as the curl line that would do the same. */
import { messageOf } from '../../src/domain/errors.js';
import { parsed } from './answers.js';
import { DemoError, type Patience, untilTrue } from '../wait-until.js';
import { withDeadline } from '../../src/async/deadline.js';

export interface HttpRequest {
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** Below the API, or of the whole server where it begins with a slash. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  /** None is shown where it is null; ours where it is not given. */
  readonly token?: string | null;
}

export interface HttpAnswer {
  readonly status: number;
  readonly body: unknown;
}

/** A call that was made, for whoever wants to make it again. */
export interface HttpCall {
  readonly curl: string;
  readonly status: number;
  readonly body: unknown;
}

export interface HttpClient {
  readonly ask: (request: HttpRequest) => Promise<HttpAnswer>;
  /** Asks until the answer is as wanted; only the last call is shown. */
  readonly askUntil: (request: HttpRequest, isWanted: (answer: HttpAnswer) => boolean) => Promise<HttpAnswer>;
  readonly calls: () => readonly HttpCall[];
  /** The calls since this was last asked, as lines for whoever watches. */
  readonly newLines: () => readonly string[];
}

interface Options {
  /** `http://127.0.0.1:8096` */
  readonly origin: string;
  readonly token: string;
  readonly patience: Patience;
}

const API = '/api/v1/internal';
const ANSWER_WITHIN_MS = 40_000;
const ENDS_WITHIN_MS = 40_000;
const ASK_EVERY_MS = 100;

export function createHttpClient({ origin, token, patience }: Options): HttpClient {
  const calls: HttpCall[] = [];
  const lines = [`  $ API=${origin}${API} TOKEN=${token}`];

  function note(request: HttpRequest, { status, body }: HttpAnswer): void {
    const curl = curlLine(request, origin);
    calls.push({ curl, status, body });
    lines.push(`  $ ${curl}`, ...shortened(`${status} ${JSON.stringify(body)}`).map((line) => `    ${line}`));
  }

  async function call(request: HttpRequest): Promise<HttpAnswer> {
    const { method, path } = request;
    const url = `${origin}${path.startsWith('/') ? '' : `${API}/`}${path}`;
    const fetching = fetch(url, {
      method,
      headers: headersOf(request, token),
      signal: patience.signal,
      ...(request.body === undefined ? {} : { body: JSON.stringify(request.body) }),
    });
    const answering = fetching.then(async (answer) => ({ status: answer.status, text: await answer.text() }));
    try {
      const late = (): Error => new DemoError(`no answer within ${ANSWER_WITHIN_MS / 1_000} s`);
      const { status, text } = await withDeadline(
        { clock: patience.clock, limitMs: ANSWER_WITHIN_MS, late },
        () => answering,
      );
      return { status, body: parsed(text, `the answer to ${method} ${url}`) };
    } catch (error) {
      patience.signal.throwIfAborted();
      throw error instanceof DemoError ? error : new DemoError(`${method} ${url}: ${messageOf(error)}`);
    }
  }

  async function ask(request: HttpRequest): Promise<HttpAnswer> {
    const answer = await call(request);
    note(request, answer);
    return answer;
  }

  async function askUntil(request: HttpRequest, isWanted: (answer: HttpAnswer) => boolean): Promise<HttpAnswer> {
    let answer: HttpAnswer | undefined;
    const condition = { what: `the end of ${request.path}`, everyMs: ASK_EVERY_MS, withinMs: ENDS_WITHIN_MS };
    await untilTrue(patience, condition, async () => {
      answer = await call(request);
      return isWanted(answer);
    });
    if (answer === undefined) throw new DemoError('nothing was asked');
    note(request, answer);
    return answer;
  }

  return { ask, askUntil, calls: () => calls, newLines: () => lines.splice(0) };
}

function headersOf({ headers, body, token: given }: HttpRequest, token: string): Record<string, string> {
  return {
    ...(given === null ? {} : { authorization: `Bearer ${given ?? token}` }),
    ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    ...headers,
  };
}

/** To be pasted into a shell where `API` and `TOKEN` are set. */
export function curlLine({ method, path, headers, body, token }: HttpRequest, origin: string): string {
  const bearer = token === null ? [] : [`-H "Authorization: Bearer ${token ?? '$TOKEN'}"`];
  return [
    'curl',
    ...(method === 'GET' ? [] : ['-X', method]),
    ...bearer,
    ...Object.entries(headers ?? {}).map(([name, value]) => `-H '${name}: ${value}'`),
    ...(body === undefined ? [] : [`-H 'Content-Type: application/json' -d '${JSON.stringify(body)}'`]),
    `"${path.startsWith('/') ? `${origin}${path}` : `$API/${path}`}"`,
  ].join(' ');
}

const LINE_CHARACTERS = 110;
const LINES = 2;

/** As much of a text as two lines hold. */
export function shortened(text: string): readonly string[] {
  const lines: string[] = [];
  for (let start = 0; start < text.length && lines.length < LINES; start += LINE_CHARACTERS) {
    lines.push(text.slice(start, start + LINE_CHARACTERS));
  }
  if (text.length <= LINES * LINE_CHARACTERS) return lines;
  return [...lines.slice(0, -1), `${lines.at(-1)?.slice(0, -1)}…`];
}
