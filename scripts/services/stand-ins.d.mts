/** Rejects with SetUpError, which contains the failed program's output. The first call takes minutes; files are cached. */
export declare const buildStandIns: (dockerHost: string) => Promise<void>;
/** Needs the stand-ins in the engine. */
export declare const ensureCompose: (dockerHost: string) => Promise<NodeJS.ProcessEnv>;
