/**
 * docker-modem reads some answers in a place where nobody hears what it throws, which ends the process. An engine gives
 * no such answer to what we ask, but a gateway before it may. What is mended here is not documented; tests hold it.
 */
import type Docker from 'dockerode';
import { Agent, type ClientRequest, type IncomingMessage } from 'node:http';
import { Agent as TlsAgent } from 'node:https';
import { inspect } from 'node:util';
import { fieldsOf } from '../fields.js';
import { StoredError, LibraryChangedError } from '../../../domain/errors.js';

export function harden(docker: Docker): Docker {
  const { modem } = docker;
  const agents = {
    http: withoutLocations(new Agent(LIKE_NODES_OWN)),
    https: withoutLocations(new TlsAgent(LIKE_NODES_OWN)),
  };
  const buildRequest = modem['buildRequest'].bind(modem);
  modem['buildRequest'] = (options, ...rest) => {
    const agent = fieldsOf(modem)['protocol'] === 'https' ? agents.https : agents.http;
    buildRequest(Object.assign(options, { agent }), ...rest);
  };

  const buildPayload = modem['buildPayload'].bind(modem);
  modem['buildPayload'] = (...answer) => {
    const [, , , , , response, json, answered] = answer as readonly unknown[];
    try {
      buildPayload(...answer);
    } catch (cause) {
      // A refusal whose message is an object that has no text.
      const facts = { statusCode: fieldsOf(response)['statusCode'], json };
      const error = Object.assign(new StoredError('an answer that cannot be shown', { cause }), facts);
      if (typeof answered === 'function') Reflect.apply(answered, undefined, [error, null]);
    }
  };
  return docker;
}

const LIKE_NODES_OWN = { keepAlive: true, scheduling: 'lifo', timeout: 5_000 } as const;

/**
 * It follows a redirect with a second request whose errors nobody listens to, or stumbles over where it leads to. An
 * answer without a place to go to is one like any other.
 */
function withoutLocations<A extends Agent>(agent: A): A {
  const addRequest: unknown = Reflect.get(agent, 'addRequest');
  if (typeof addRequest !== 'function') throw new LibraryChangedError('Node', 'Agent.addRequest');
  return Object.assign(agent, {
    addRequest: (request: ClientRequest, ...rest: unknown[]) => {
      request.prependListener('response', forgetLocation);
      Reflect.apply(addRequest, agent, [request, ...rest]);
    },
    // The library prints the whole of it on each request, at a hundred times the cost of the request.
    [inspect.custom]: () => 'an agent',
  });
}

function forgetLocation({ headers }: IncomingMessage): void {
  delete headers.location;
}
