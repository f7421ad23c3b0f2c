interface LockedPackage {
  readonly version?: string;
  readonly integrity?: string;
  readonly optional?: boolean;
}

interface PackageList {
  readonly packages: Readonly<Record<string, LockedPackage>>;
}

export declare const satisfies: (version: string, range: string) => boolean;
export declare const matchesLock: (lock: PackageList, installed: PackageList) => boolean;
export declare const withoutCallingNpm: (environment: NodeJS.ProcessEnv) => NodeJS.ProcessEnv;
export declare const addressOf: (
  dockerHost: string,
  options: { readonly tls: boolean },
) => { socketPath: string } | { host: string; port: number } | null;
export declare const needsServices: (args: readonly string[]) => boolean;
export declare const needsBrowser: (args: readonly string[]) => boolean;
export declare const BROWSERS: readonly ['chromium-headless-shell', 'chromium'];
export declare const mountPointsBelow: (mountTable: string, folder: string) => string[];
export declare const duration: (durationMs: number) => string;
