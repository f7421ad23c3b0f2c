export declare class SetUpError extends Error {
  constructor(message: string, options?: { remedy?: string | undefined; cause?: unknown });
}
