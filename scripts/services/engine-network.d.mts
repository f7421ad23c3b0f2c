import type { Service } from './child.mjs';

export declare const openWayOut: (engine: { readonly pid: number; readonly socketPath: string }) => Promise<Service>;
