/** What an engine says of itself and of its storage (`GET /info`): another answer comes from another engine. */
export interface EngineIdentity {
  /** `ID`; empty where the engine has none that lasts (Podman makes a new one for each answer). */
  readonly engineId: string;
  /** `DockerRootDir`: an engine with another data folder has other containers. */
  readonly rootDir: string;
  /** `Driver`: with another storage driver the same engine hides the containers that it had. */
  readonly storageDriver: string;
}

/** Asks an engine who it is. Rejects with `UnavailableError` when it does not answer in time. */
export interface EngineProbe {
  readonly identify: (signal: AbortSignal) => Promise<EngineIdentity>;
}

/** A row of the table `engines`. */
export interface EngineRecord {
  readonly name: string;
  readonly identity: EngineIdentity;
  /** Another identity that answered when a worker last looked; null while the right engine answers. */
  readonly observed: EngineIdentity | null;
  readonly observedAt: Date | null;
  readonly firstSeenAt: Date;
  readonly lastSeenAt: Date;
  readonly acceptedAt: Date | null;
  readonly acceptedBy: string | null;
  /** Containers that the engine says are gone, and that are not believed to be. */
  readonly missing: number;
}

export interface Acceptance {
  /** The identity that was replaced; null where the identity had not changed. */
  readonly replaced: EngineIdentity | null;
  /** The engine after it. */
  readonly engine: EngineRecord;
  /** The games whose containers are believed to be gone from now on. */
  readonly gone: readonly string[];
}

/** The stored identities of the engines. Members reject with `UnavailableError` when the database cannot answer. */
export interface EngineRegistry {
  /** Stores the identity of an engine that has none yet. Otherwise notes that it answered, or which other one did. */
  readonly seen: (name: string, identity: EngineIdentity) => Promise<EngineRecord>;
  /** Looks of before this moment are no evidence any more: the engine may have been restarted or replaced since. */
  readonly forgetLooks: (name: string) => Promise<void>;
  readonly list: () => Promise<readonly EngineRecord[]>;
  /**
   * Makes the observed identity the engine's own, and accepts that the containers that are missing now are gone; each in
   * one transaction with its row in the operation log. Where there is neither, nothing is changed or logged. Undefined:
   * no engine of that name has been seen.
   */
  readonly accept: (name: string, actor: AcceptingActor) => Promise<Acceptance | undefined>;
  /** Names that records give to engines, with their number of records that are not `removed`. */
  readonly named: () => Promise<ReadonlyMap<string, number>>;
}

export interface AcceptingActor {
  readonly name: string;
  readonly opSource: 'operator_cli' | 'admin_rest';
}

/** A look at one container, for one job. */
export interface LookSubject {
  readonly engine: string;
  readonly containerId: string;
  readonly gameId: string;
  readonly jobId: string;
}

/** What the database knows about a container that an engine says is gone. */
export interface MissingFacts {
  /** An earlier attempt of this job has sent a removal of this container. */
  readonly removalSent: boolean;
  /** An operator has accepted that this container is gone. */
  readonly accepted: boolean;
  /** How many of the newest `LOOKS_COUNTED` looks at this engine, this one included, found no container. */
  readonly goneLooks: number;
  /** A look has found another container of our records on this engine within `RECENT_MS`. */
  readonly othersSeenRecently: boolean;
  /** Containers that other records name on this engine; a few of them, newest operation first. */
  readonly others: readonly string[];
}

/** The newest look at each container. Members reject with `UnavailableError` when the database cannot answer. */
export interface ContainerLooks {
  /** The container is there. */
  readonly foundPresent: (subject: LookSubject) => Promise<void>;
  /** The container is there, and its removal is sent next; the database knows before this resolves. */
  readonly removalIsNext: (subject: LookSubject) => Promise<void>;
  /** The engine says that the container is gone. */
  readonly foundGone: (subject: LookSubject) => Promise<MissingFacts>;
  /** Deletes the looks that are older than a week. */
  readonly forgetOld: () => Promise<void>;
}

/** Looks that a burst of missing containers is counted in (contract: more than half of the last 20). */
export const LOOKS_COUNTED = 20;
/** How long a look at another container is evidence that the engine shows its containers. */
export const RECENT_MS = 30_000;
/** How many other containers are looked at before the engine is disbelieved. */
export const OTHERS_LOOKED_AT = 5;
