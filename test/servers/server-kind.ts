/** What there is to know about one kind of server: how it is had, how it is started, when it answers. */

export type Say = (line: string) => void;

export interface ServerAddress {
  readonly host: string;
  readonly port: number;
}

/** A command that runs the server in the foreground until it is told to end. */
export interface Launch {
  readonly command: string;
  readonly args: readonly string[];
  /** Added to the environment of the process. */
  readonly env?: Readonly<Record<string, string>>;
  /** Default: the server's folder. */
  readonly cwd?: string;
  /** What ends it orderly; default SIGTERM. */
  readonly stopSignal?: NodeJS.Signals;
}

export interface ServerPlace {
  readonly folder: string;
  readonly port: number;
  /** Lines to add to the server's configuration file; for kinds that have one. */
  readonly configuration?: readonly string[];
}

export interface ServerKind {
  readonly name: string;
  /** Where a user names a server of their own: `host:port`. */
  readonly addressVariable: string;
  /** The variable under which tests, samples and YAML (`envRef`) find the address. */
  readonly exportVariable: string;
  readonly usualPort: number;
  readonly startTimeoutMs: number;
  /**
   * Makes sure that the machine can run it, installing what is missing, and returns what `launch` needs.
   * Rejects with `ServerMissing`.
   */
  obtain(folder: string, say: Say): Promise<string>;
  /** Writes what the server needs into its folder and says how to run it. `port` is free at the time of the call. */
  launch(obtained: string, place: ServerPlace): Promise<Launch>;
  /** Removes what `launch` had to put elsewhere than into the folder. */
  dispose?(folder: string): Promise<void>;
  /** Rejects while the server cannot serve a client. */
  answers(address: ServerAddress): Promise<void>;
}

/** A server that cannot be had, and what the reader can do about it. */
export class ServerMissing extends Error {
  readonly whatToDo: string;
  constructor(why: string, whatToDo: string, cause?: unknown) {
    super(why, cause === undefined ? undefined : { cause });
    this.name = 'ServerMissing';
    this.whatToDo = whatToDo;
  }
}
