/**
 * Replaces `addRequest` of a Node agent, which Node does not document. Checked on dockerode 5.0.1 (docker-modem 5.0.7), whose
 * requests go through the agent that it is given. Remove this patch when docker-modem follows no redirects, or handles the
 * errors of the redirected request.
 */
import type { Agent, ClientRequest, IncomingMessage } from 'node:http';
import { LibraryChangedError } from '../../../domain/errors.js';

/**
 * Makes a client with this agent treat a redirect like any other answer: removes the `location` header before docker-modem
 * reads it. docker-modem follows it with a second request: an error of that request, or a location that is not a web
 * address, is thrown where no caller can catch it and ends the process. An engine redirects none of our requests, but a
 * gateway in front of it may.
 */
export function ignoreRedirects<A extends Agent>(agent: A): A {
  const addRequest: unknown = Reflect.get(agent, 'addRequest');
  if (typeof addRequest !== 'function') throw new LibraryChangedError('Node', 'Agent.addRequest');
  return Object.assign(agent, {
    addRequest: (request: ClientRequest, ...rest: unknown[]) => {
      request.prependListener('response', removeLocation);
      Reflect.apply(addRequest, agent, [request, ...rest]);
    },
  });
}

function removeLocation({ headers }: IncomingMessage): void {
  delete headers.location;
}
