export type Environment = Readonly<Record<string, string | undefined>>;

/** The environment this process was started with. Nobody else asks for it. */
export const processEnvironment = (): Environment => process.env;
