export declare const which: (program: string) => string | null;
