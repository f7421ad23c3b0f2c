import { connect as connectPlainly } from 'node:net';
import { connect as connectWithTls, type TLSSocket } from 'node:tls';
import { messageOf } from '../../domain/errors.js';
import type { HostAndPort } from '../../domain/redis-address.js';
import { tlsFailure } from '../tls-failure.js';
import type { TlsOptions } from './client-options.js';

/** An error that does not say why: the server broke the connection, or was silent. */
const SAYS_NOTHING = /ECONNRESET|EPIPE|ETIMEDOUT|Connection is closed|Protocol error/;

export const saysNothing = (error: unknown): boolean => error === undefined || SAYS_NOTHING.test(messageOf(error));

const ANSWER_WITHIN_MS = 1_000;
/** A server that refuses a client certificate says so just after the handshake. */
const REFUSAL_WITHIN_MS = 300;

type Diagnosis =
  | { readonly kind: 'speaks-tls' }
  | { readonly kind: 'speaks-no-tls' }
  | { readonly kind: 'failure'; readonly error: Error };

/**
 * Connects once more, with and without TLS, and finds out what the connection's error did not say: Redis breaks a
 * connection without TLS at its TLS port, is silent the other way round, and its refusal of a client without certificate
 * is lost when that client has written already.
 */
export async function diagnoseConnection(
  where: HostAndPort,
  tls: TlsOptions | undefined,
): Promise<Diagnosis | undefined> {
  if (tls === undefined) {
    const found = await tryTls(connectWithTls({ ...where, rejectUnauthorized: false }));
    return found === 'connected' || isAlert(found) ? { kind: 'speaks-tls' } : undefined;
  }
  const found = await tryTls(connectWithTls(Object.assign({ ...where }, tls)));
  if (found instanceof Error && tlsFailure(found) !== undefined) return { kind: 'failure', error: found };
  return found !== 'connected' && (await answersPlainly(where)) ? { kind: 'speaks-no-tls' } : undefined;
}

const isAlert = (found: unknown): boolean =>
  found instanceof Error && 'code' in found && typeof found.code === 'string' && /^ERR_SSL_.*_ALERT_/.test(found.code);

/** Writes nothing, so that an answer of the server is not lost to a broken connection. */
function tryTls(socket: TLSSocket): Promise<'connected' | 'silent' | Error> {
  return new Promise((resolve) => {
    let state: 'connected' | 'silent' = 'silent';
    const end = (found: typeof state | Error): void => {
      socket.destroy();
      resolve(found);
    };
    socket.once('error', end);
    socket.once('secureConnect', () => {
      state = 'connected';
      socket.setTimeout(REFUSAL_WITHIN_MS);
    });
    socket.setTimeout(ANSWER_WITHIN_MS, () => end(state));
    socket.resume();
  });
}

function answersPlainly(where: HostAndPort): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connectPlainly(where);
    const end = (answers: boolean): void => {
      socket.destroy();
      resolve(answers);
    };
    socket.once('error', () => end(false));
    socket.once('connect', () => socket.write('PING\r\n'));
    socket.once('data', (answer) => end(/^[+-]/.test(answer.toString('latin1'))));
    socket.setTimeout(ANSWER_WITHIN_MS, () => end(false));
  });
}
