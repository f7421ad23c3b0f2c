/** Rejects with SetUpError, with what the failed program printed. The first time it takes minutes; files are cached. */
export declare const buildStandIns: (dockerHost: string) => Promise<void>;
/** Wants the stand-ins to be there. */
export declare const ensureCompose: (dockerHost: string) => Promise<NodeJS.ProcessEnv>;
