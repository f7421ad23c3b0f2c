import { createServer, type ServerResponse } from 'node:http';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface SlowEngine {
  readonly socketPath: string;
  /** Adds stopped containers; returns their ids. */
  readonly add: (count: number) => readonly string[];
  readonly remaining: () => number;
  readonly close: () => Promise<void>;
}

interface Settings {
  readonly removalMs: number;
  readonly together: number;
}

/**
 * What a cleanup needs of an engine, with as many stopped containers as a test wants. Each removal takes a while, and the
 * first ones end only when `together` of them are under way, so that a worker has all its jobs running at a time.
 */
export async function startSlowEngine({ removalMs, together }: Settings): Promise<SlowEngine> {
  const folder = mkdtempSync(join(tmpdir(), 'slow-engine-'));
  const socketPath = join(folder, 'engine.sock');
  const containers = new Set<string>();
  const held: (() => void)[] = [];
  let [added, started] = [0, 0];

  function answerFor(method: string, path: string, answer: ServerResponse): void {
    const json = (status: number, body: unknown): void => {
      answer
        .writeHead(status, { 'content-type': 'application/json', server: 'Docker/27.0.0' })
        .end(JSON.stringify(body));
    };
    const id = /^\/containers\/([0-9a-f]{64})/.exec(path)?.[1] ?? '';
    if (path === '/version') json(200, { Version: '27.0.0', ApiVersion: '1.46', Os: 'linux', Arch: 'amd64' });
    else if (path === '/info') json(200, { ID: 'slow-engine', DockerRootDir: '/var/lib/docker', Driver: 'overlay2' });
    else if (!containers.has(id)) json(404, { message: `No such container: ${id}` });
    else if (method === 'GET') json(200, { Id: id, Config: { Labels: {} }, State: { Status: 'exited' } });
    else {
      started += 1;
      held.push(() => {
        setTimeout(() => {
          containers.delete(id);
          answer.writeHead(204).end();
        }, removalMs);
      });
      if (started >= together) for (const end of held.splice(0)) end();
    }
  }

  const server = createServer((request, answer) => {
    answerFor(request.method ?? '', (request.url ?? '').replace(/\?.*$/, '').replace(/^\/v1\.\d+/, ''), answer);
  });
  await new Promise<void>((resolve) => server.listen(socketPath, resolve));
  return {
    socketPath,
    add: (count) => {
      const ids = Array.from({ length: count }, () => (added += 1).toString(16).padStart(64, 'c'));
      for (const id of ids) containers.add(id);
      return ids;
    },
    remaining: () => containers.size,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
