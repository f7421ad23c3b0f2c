/** Calls the HTTP API, and shows each call as the curl line that would do the same. */
import { withDeadline } from '../../src/async/deadline.js';
import { messageOf } from '../../src/domain/errors.js';
import { parseJson } from './answers.js';
import { DemoError } from '../errors.js';
import { type WaitContext, waitUntil } from '../wait-until.js';

export interface HttpRequest {
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** Relative to the API's path, or absolute when it begins with a slash. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  /** The bearer token: null sends none, undefined sends the demo's own. */
  readonly token?: string | null;
}

export interface HttpAnswer {
  readonly status: number;
  readonly body: unknown;
}

/** A call that was made, with the command that repeats it. */
export interface HttpCall {
  readonly curl: string;
  readonly status: number;
  readonly body: unknown;
}

export interface HttpClient {
  readonly ask: (request: HttpRequest) => Promise<HttpAnswer>;
  /** Repeats the call until the answer is the wanted one; only the last call is shown. */
  readonly askUntil: (request: HttpRequest, isWanted: (answer: HttpAnswer) => boolean) => Promise<HttpAnswer>;
  readonly calls: () => readonly HttpCall[];
  /** The calls since the last call of this function, as lines for the terminal. */
  readonly newLines: () => readonly string[];
}

interface Options {
  /** `http://127.0.0.1:8096` */
  readonly origin: string;
  readonly token: string;
  readonly wait: WaitContext;
}

const API = '/api/v1/internal';
const ANSWER_LIMIT_MS = 40_000;
const WANTED_WITHIN_MS = 40_000;
const POLL_MS = 100;

export function createHttpClient({ origin, token, wait }: Options): HttpClient {
  const calls: HttpCall[] = [];
  const lines = [`  $ API=${origin}${API} TOKEN=${token}`];

  function record(request: HttpRequest, { status, body }: HttpAnswer): void {
    const curl = curlLine(request, origin);
    calls.push({ curl, status, body });
    lines.push(`  $ ${curl}`, ...shortened(`${status} ${JSON.stringify(body)}`).map((line) => `    ${line}`));
  }

  async function call(request: HttpRequest): Promise<HttpAnswer> {
    const { method, path } = request;
    const url = `${origin}${path.startsWith('/') ? '' : `${API}/`}${path}`;
    const init = {
      method,
      headers: headersOf(request, token),
      ...(request.body === undefined ? {} : { body: JSON.stringify(request.body) }),
    };
    const late = (): Error => new DemoError(`no answer within ${ANSWER_LIMIT_MS / 1_000} s`);
    try {
      const { status, text } = await withDeadline({ ...wait, limitMs: ANSWER_LIMIT_MS, late }, async (signal) => {
        const answer = await fetch(url, { ...init, signal });
        return { status: answer.status, text: await answer.text() };
      });
      return { status, body: parseJson(text, `the answer to ${method} ${url}`) };
    } catch (error) {
      wait.signal.throwIfAborted();
      throw error instanceof DemoError ? error : new DemoError(`${method} ${url}: ${messageOf(error)}`);
    }
  }

  async function ask(request: HttpRequest): Promise<HttpAnswer> {
    const answer = await call(request);
    record(request, answer);
    return answer;
  }

  async function askUntil(request: HttpRequest, isWanted: (answer: HttpAnswer) => boolean): Promise<HttpAnswer> {
    let answer: HttpAnswer | undefined;
    const condition = { what: `the wanted answer of ${request.path}`, everyMs: POLL_MS, withinMs: WANTED_WITHIN_MS };
    await waitUntil(wait, condition, async () => {
      answer = await call(request);
      return isWanted(answer);
    });
    if (answer === undefined) throw new DemoError('no call was made');
    record(request, answer);
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

/** Can be pasted into a shell where `API` and `TOKEN` are set. */
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

/** A text's first two lines of 110 characters. */
export function shortened(text: string): readonly string[] {
  const lines: string[] = [];
  for (let start = 0; start < text.length && lines.length < LINES; start += LINE_CHARACTERS) {
    lines.push(text.slice(start, start + LINE_CHARACTERS));
  }
  if (text.length <= LINES * LINE_CHARACTERS) return lines;
  return [...lines.slice(0, -1), `${lines.at(-1)?.slice(0, -1)}…`];
}
