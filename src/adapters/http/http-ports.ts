/** The server, its settings and its observer. What a route needs is declared beside the route. */

/** One thing that the service needs to do its work. */
export interface ReadinessCheck {
  readonly name: string;
  readonly ok: boolean;
  /** What the check found, in one line. */
  readonly detail: string;
}

/** The jobs of the work queue in each of these states. */
export type QueueCounts = Readonly<Record<'waiting' | 'delayed' | 'active', number>>;

/** One answered request. */
export interface AnsweredRequest {
  readonly requestId: string;
  readonly method: string;
  /** The route's pattern, not the path: it has a bounded number of values. */
  readonly route: string;
  readonly status: number;
  readonly elapsedMs: number;
}

/** Something that an operator had changed. */
export interface OperatorAction {
  readonly requestId: string;
  /** Who asked for it; never a token. */
  readonly actor: string;
  /** The log line's message. */
  readonly action: 'engine accepted';
  readonly detail: Readonly<Record<string, unknown>>;
}

/** Receives what the server did; must not throw. */
export interface HttpObserver {
  readonly answered: (request: AnsweredRequest) => void;
  readonly operatorActed: (action: OperatorAction) => void;
  /** A request that ended in an unexpected error: a bug. */
  readonly failed: (request: Pick<AnsweredRequest, 'requestId' | 'method' | 'route'>, cause: unknown) => void;
}

export interface HttpSettings {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  /** Empty: the server asks for no token, and then refuses to listen on or answer to anything but loopback. */
  readonly tokens: readonly string[];
  readonly version: string;
  /** Whether only this machine can reach a host name or address; IPv6 without brackets. */
  readonly isLoopback: (address: { readonly host: string }) => boolean;
}

export interface HttpServer {
  /** Resolves to the port once requests are taken; rejects with a `ConfigurationError` when it cannot listen there. */
  readonly listen: () => Promise<number>;
  /** Takes no more requests, lets running ones end for a while, then ends them. Safe before `listen` and twice. */
  readonly close: () => Promise<void>;
}
