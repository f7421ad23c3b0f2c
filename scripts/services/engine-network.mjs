import { readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { startService } from './child.mjs';

const DEFAULT_ROUTE = /^tap0\s+00000000\s/m;

/**
 * Gives a private engine's network namespace access to the Internet through a network stack in user space. The machine's own
 * network is not changed, and its loopback cannot be reached. Image builds that install packages need it. See engine-network.d.mts.
 */
export const openInternetAccess = ({ pid, socketPath }) =>
  startService({
    name: 'slirp4netns',
    command: 'slirp4netns',
    args: ['--configure', '--mtu=65520', '--disable-host-loopback', String(pid), 'tap0'],
    folder: dirname(socketPath),
    // This file shows the routes of the process's own network namespace.
    isReady: async () => DEFAULT_ROUTE.test(readFileSync(`/proc/${pid}/net/route`, 'utf8')),
  });
