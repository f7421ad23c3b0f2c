import Docker from 'dockerode';
import { Agent, type ClientRequest } from 'node:http';
import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ignoreRedirects } from '../../../../../src/adapters/docker/patches/ignore-redirects.js';
import { LibraryChangedError } from '../../../../../src/domain/errors.js';

/** Node's agent has this method, but does not document it. */
interface AgentWithRequests {
  readonly addRequest: (request: ClientRequest) => void;
}

/** The cast: dockerode passes the agent on to Node, but its types do not name it. */
const newDocker = (agent = new Agent()) =>
  new Docker({ host: '127.0.0.1', port: 1, protocol: 'http', agent } as Docker.DockerOptions);

describe('ignoreRedirects', () => {
  let requests: ClientRequest[];

  beforeEach(() => {
    requests = [];
    // No request reaches a socket: each is kept here, and the test answers it. The cast: the method is not documented.
    vi.spyOn(Agent.prototype as unknown as AgentWithRequests, 'addRequest').mockImplementation(
      (request) => void requests.push(request),
    );
  });
  afterEach(() => vi.restoreAllMocks());

  const answerWithRedirect = (location: string) => {
    const response = Object.assign(new PassThrough(), { statusCode: 302, headers: { location } });
    requests[0]?.emit('response', response);
    response.end('moved');
  };

  it('dockerode without the patch throws on a redirect to an address that is not on the web', () => {
    newDocker().ping(() => undefined);
    expect(() => answerWithRedirect('mailto:nobody')).toThrow(TypeError);
  });

  it('dockerode without the patch follows a redirect with a second request', () => {
    newDocker().ping(() => undefined);
    answerWithRedirect('http://127.0.0.1:1/elsewhere');
    expect(requests).toHaveLength(2);
  });

  it.each(['mailto:nobody', 'http://127.0.0.1:1/elsewhere', 'http://['])(
    'a patched client reports a redirect to %s as an unexpected answer and sends no second request',
    async (location) => {
      const answered = new Promise((resolve) => newDocker(ignoreRedirects(new Agent())).ping(resolve));
      answerWithRedirect(location);
      expect(await answered).toMatchObject({ statusCode: 302 });
      expect(requests).toHaveLength(1);
    },
  );

  it('the patch refuses a Node whose agents have no addRequest', () => {
    vi.restoreAllMocks();
    const addRequest: unknown = Reflect.get(Agent.prototype, 'addRequest');
    Reflect.set(Agent.prototype, 'addRequest', undefined);
    try {
      expect(() => ignoreRedirects(new Agent())).toThrow(LibraryChangedError);
    } finally {
      Reflect.set(Agent.prototype, 'addRequest', addRequest);
    }
  });
});
