import { readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { startService } from './child.mjs';

const DEFAULT_ROUTE = /^tap0\s+00000000\s/m;

/**
 * Gives a private engine's network namespace a way out, by a network stack in user space: nothing of the machine's own network
 * is changed, and its loopback cannot be reached. Builds need it, which install packages. See engine-network.d.mts.
 */
export const openWayOut = ({ pid, socketPath }) =>
  startService({
    name: 'slirp4netns',
    command: 'slirp4netns',
    args: ['--configure', '--mtu=65520', '--disable-host-loopback', String(pid), 'tap0'],
    folder: dirname(socketPath),
    // What a process sees there is its own namespace's.
    isReady: async () => DEFAULT_ROUTE.test(readFileSync(`/proc/${pid}/net/route`, 'utf8')),
  });
