export interface DemoArguments {
  readonly help: boolean;
  readonly json: boolean;
  readonly redis: boolean;
}

export declare const HELP: string;

/** Returns the error message when an argument is not known. */
export declare const parseDemoArguments: (args: readonly string[]) => DemoArguments | { readonly problem: string };
