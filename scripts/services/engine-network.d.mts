import type { Service } from './child.mjs';

export declare const openInternetAccess: (engine: {
  readonly pid: number;
  readonly socketPath: string;
}) => Promise<Service>;
