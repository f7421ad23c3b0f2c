import type { Check } from '../../cli/command-context.js';
import { formatHttpAddress, whereToAsk } from '../../config/http-address.js';
import { messageOf, TimeoutError } from '../../domain/errors.js';
import type { Context } from '../context.js';
import { withDeadline } from '../../async/deadline.js';

type Finding = Omit<Check, 'name'>;

const ANSWER_LIMIT_MS = 2_000;

/** Whether the HTTP API of this service answers at its address, or the address is free. At worst a warning: no other part needs it. */
export async function checkApi({
  config,
  clock,
  signal,
}: Pick<Context, 'config' | 'clock' | 'signal'>): Promise<Finding> {
  const { httpAddress: address } = config;
  if (address.port === 0) return { status: 'ok', detail: 'listens on any free port; its log says on which' };
  const url = `http://${formatHttpAddress(whereToAsk(address))}`;
  const deadline = {
    clock,
    limitMs: ANSWER_LIMIT_MS,
    late: () => new TimeoutError('no answer', ANSWER_LIMIT_MS),
  };
  try {
    const asked = fetch(`${url}/healthz`, { signal, redirect: 'manual' });
    const response = await withDeadline(deadline, () => asked);
    if (isOurs(response.status, await withDeadline(deadline, () => response.text()))) {
      return { status: 'ok', detail: `answers at ${url}` };
    }
    return taken(url, 'another program answers there');
  } catch (error) {
    const reason = error instanceof Error && error.cause !== undefined ? messageOf(error.cause) : messageOf(error);
    if (!/ECONNREFUSED/.test(reason)) return taken(url, reason);
    return { status: 'ok', detail: `the address ${url} is free; "runtime-cleanup serve" or "api" will listen there` };
  }
}

const taken = (url: string, what: string): Finding => ({
  status: 'warn',
  detail: `${url}: ${what}`,
  advice: 'set RTMANAGER_INTERNAL_HTTP_ADDR to a free address, or find out which program listens there',
});

function isOurs(status: number, body: string): boolean {
  if (status !== 200) return false;
  try {
    const answer: unknown = JSON.parse(body);
    return typeof answer === 'object' && answer !== null && 'status' in answer && answer.status === 'ok';
  } catch {
    return false;
  }
}
