/** Types of launch.mjs for those who import it from TypeScript; the launcher itself must run on a Node that knows none. */

export interface NodePackage {
  readonly name: string;
  readonly version: string;
  readonly integrity: string;
  /** Inside the package. */
  readonly binary: string;
}

export interface LaunchCommand {
  /** From the root of the repository. */
  readonly entry: string;
  readonly words: string;
}

export const NODE_VERSION_MIN: string;
export const NODE_PACKAGES: Readonly<Record<string, NodePackage>>;
export const COMMANDS: Readonly<Record<string, LaunchCommand>>;
export function atLeast(a: string, b: string): boolean;
export function cacheFolder(): string;
export function dependenciesComplete(root: string): boolean;
export function launchFromClone(command: string, args: readonly string[]): Promise<void>;
export function launchFromPackage(bin: string, entry: string, args: readonly string[]): Promise<void>;
