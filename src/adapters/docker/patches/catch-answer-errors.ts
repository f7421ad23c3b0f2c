/**
 * Replaces `buildPayload` of dockerode's `modem`. Checked on dockerode 5.0.1 (docker-modem 5.0.7). Remove this patch when
 * docker-modem passes an error to its callback although the refusal's message cannot be turned into text.
 */
import type Docker from 'dockerode';
import { fieldsOf } from '../fields.js';
import { StoredError, LibraryChangedError } from '../../../domain/errors.js';

/**
 * Passes every error of reading an answer to the caller. docker-modem joins the message of a refusal to a text; a message
 * without a usable `toString` makes that throw in a socket's event, which ends the process. An engine sends no such message,
 * but a gateway in front of it may.
 */
export function catchAnswerErrors(docker: Docker): Docker {
  const { modem } = docker;
  if (typeof modem['buildPayload'] !== 'function') throw new LibraryChangedError('dockerode', 'modem.buildPayload');
  const buildPayload = modem['buildPayload'].bind(modem);
  modem['buildPayload'] = (...answer) => {
    const [, , , , , response, json, callback] = answer as readonly unknown[];
    try {
      buildPayload(...answer);
    } catch (cause) {
      const facts = { statusCode: fieldsOf(response)['statusCode'], json };
      const error = Object.assign(new StoredError('an answer that cannot be shown', { cause }), facts);
      if (typeof callback === 'function') Reflect.apply(callback, undefined, [error, null]);
    }
  };
  return docker;
}
