/** Lua scripts: everything here that must happen together happens in one of them. */
import { createHash } from 'node:crypto';
import { plainError, type RedisClient } from './connection.ts';

export interface RedisScript {
  readonly text: string;
  /** The name under which the server keeps it. */
  readonly digest: string;
}

export function defineScript(text: string): RedisScript {
  return { text, digest: createHash('sha1').update(text).digest('hex') };
}

export type ScriptArgument = string | number | Buffer;

/** The client has these, as it has a `...Buffer` twin of every command; its types leave them out. */
interface ScriptCommands {
  evalshaBuffer(digest: string, keyCount: number, ...rest: readonly ScriptArgument[]): Promise<unknown>;
  evalBuffer(text: string, keyCount: number, ...rest: readonly ScriptArgument[]): Promise<unknown>;
}

/** Runs a script by its digest, handing in the text where the server does not know it yet. Texts in the reply are bytes. */
export async function runScript(client: RedisClient, script: RedisScript, keys: readonly string[], args: readonly ScriptArgument[]): Promise<unknown> {
  const commands = client as unknown as ScriptCommands;
  try {
    return await commands.evalshaBuffer(script.digest, keys.length, ...keys, ...args);
  } catch (error) {
    if (!(error instanceof Error) || !error.message.startsWith('NOSCRIPT')) throw plainError(error);
  }
  try {
    return await commands.evalBuffer(script.text, keys.length, ...keys, ...args);
  } catch (error) {
    throw plainError(error);
  }
}
