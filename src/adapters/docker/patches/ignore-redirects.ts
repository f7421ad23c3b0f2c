/**
 * Replaces `buildRequest` of dockerode's `modem`, and `addRequest` of the Node agents that it then uses; Node does not
 * document `addRequest`. Checked on dockerode 5.0.1 (docker-modem 5.0.7). Remove this patch when docker-modem follows no
 * redirects, or handles the errors of the redirected request.
 */
import type Docker from 'dockerode';
import { Agent, type ClientRequest, type IncomingMessage } from 'node:http';
import { Agent as TlsAgent } from 'node:https';
import { inspect } from 'node:util';
import { fieldsOf } from '../fields.js';
import { LibraryChangedError } from '../../../domain/errors.js';

const NODE_DEFAULTS = { keepAlive: true, scheduling: 'lifo', timeout: 5_000 } as const;

/**
 * Makes the client treat a redirect like any other answer. docker-modem follows it with a second request: an error of that
 * request, or a location that is not a web address, is thrown where no caller can catch it and ends the process. An engine
 * redirects none of our requests, but a gateway in front of it may.
 */
export function ignoreRedirects(docker: Docker): Docker {
  const { modem } = docker;
  if (typeof modem['buildRequest'] !== 'function') throw new LibraryChangedError('dockerode', 'modem.buildRequest');
  const agents = {
    http: withoutLocations(new Agent(NODE_DEFAULTS)),
    https: withoutLocations(new TlsAgent(NODE_DEFAULTS)),
  };
  const buildRequest = modem['buildRequest'].bind(modem);
  modem['buildRequest'] = (options, ...rest) => {
    const agent = fieldsOf(modem)['protocol'] === 'https' ? agents.https : agents.http;
    buildRequest(Object.assign(options, { agent }), ...rest);
  };
  return docker;
}

/** Removes the `location` header before docker-modem reads it. */
function withoutLocations<A extends Agent>(agent: A): A {
  const addRequest: unknown = Reflect.get(agent, 'addRequest');
  if (typeof addRequest !== 'function') throw new LibraryChangedError('Node', 'Agent.addRequest');
  return Object.assign(agent, {
    addRequest: (request: ClientRequest, ...rest: unknown[]) => {
      request.prependListener('response', removeLocation);
      Reflect.apply(addRequest, agent, [request, ...rest]);
    },
    // docker-modem formats its options for each request; to format the whole agent takes a hundred times as long as the request.
    [inspect.custom]: () => 'an agent',
  });
}

function removeLocation({ headers }: IncomingMessage): void {
  delete headers.location;
}
