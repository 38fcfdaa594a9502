/**
 * A client of Node's inspector (https://chromedevtools.github.io/devtools-protocol/): commands to the main thread of a
 * process, and by way of it to its worker threads (Node's own NodeWorker domain). It knows no command by name but those that
 * find the workers.
 */
import { Problem } from '../problem.ts';

/** One thread of the process. */
export interface Thread {
  /** `main`, `worker-1`, in the order in which they were met. */
  readonly name: string;
  /** Rejects when the inspector refuses, the thread ends or nothing comes back in time. */
  send(method: string, parameters?: object): Promise<unknown>;
}

export interface Inspector {
  /** The main thread, then the workers that live. */
  threads(): readonly Thread[];
  close(): Promise<void>;
}

export interface InspectorOptions {
  /** Told of every worker: of those that live already before the promise of `connectInspector` is kept, of others as they begin. */
  readonly onWorker?: (worker: Thread) => void;
  /** How long an answer may take; a thread that waits inside one system call answers when that is over. */
  readonly answerWithinMs?: number;
}

const ANSWER_WITHIN_MS = 10_000;
/** For the replies and events of Node's that are read here. */
interface Message {
  readonly id?: number;
  readonly method?: string;
  readonly params?: { readonly sessionId?: string; readonly message?: string };
  readonly result?: unknown;
  readonly error?: { readonly message: string };
}

/**
 * For the command line of a Node that is to be profiled. It listens at a free port of this host alone. And it swaps no code
 * in while a loop is running (on-stack replacement): of such code V8 tells nothing to a profile that begins later, and the
 * loop's time is counted to its caller. Loops that were hot before the profile began would be missing from it (Node 24).
 */
export const PROFILED_NODE_ARGUMENTS: readonly string[] = ['--inspect=127.0.0.1:0', '--no-use-osr'];

/** What Node says on stderr once it listens: `Debugger listening on ws://127.0.0.1:40123/0f2c…`. */
export function inspectorUrlIn(output: string): string | undefined {
  return /^Debugger listening on (ws:\/\/\S+)/m.exec(output)?.[1];
}

/** `url` as Node says it. Rejects with one line when nobody listens there. */
export async function connectInspector(url: string, { onWorker, answerWithinMs = ANSWER_WITHIN_MS }: InspectorOptions = {}): Promise<Inspector> {
  if (!/^wss?:\/\//.test(url)) throw new Problem(`an inspector's address begins with ws://, as Node prints it, unlike '${url}'`);
  const socket = new WebSocket(url);
  const gone = new Problem(`the inspector at ${url} went away: has the process ended?`);
  const main = createChannel('main', answerWithinMs, (text) => socket.send(text));
  const workers = new Map<string, Channel>();
  let met = 0;

  socket.addEventListener('message', ({ data }) => {
    const message = JSON.parse(String(data)) as Message;
    const session = message.params?.sessionId ?? '';
    if (message.id !== undefined) main.receive(message);
    else if (message.method === 'NodeWorker.attachedToWorker') {
      const worker = createChannel(`worker-${++met}`, answerWithinMs, (text) => void main.thread.send('NodeWorker.sendMessageToWorker', { sessionId: session, message: text }).catch((error: Error) => worker.fail(error)));
      workers.set(session, worker);
      onWorker?.(worker.thread);
    } else if (message.method === 'NodeWorker.receivedMessageFromWorker') workers.get(session)?.receive(JSON.parse(message.params?.message ?? '{}') as Message);
    else if (message.method === 'NodeWorker.detachedFromWorker') {
      workers.get(session)?.fail(new Problem(`${workers.get(session)?.thread.name} has ended`));
      workers.delete(session);
    }
  });
  const closed = new Promise<void>((resolve) => {
    socket.addEventListener('close', () => {
      for (const { fail } of [main, ...workers.values()]) fail(gone);
      resolve();
    });
  });
  await opened(socket, url, answerWithinMs);
  await main.thread.send('NodeWorker.enable', { waitForDebuggerOnStart: false });
  return {
    threads: () => [main, ...workers.values()].map(({ thread }) => thread),
    async close() {
      socket.close();
      await closed;
    },
  };
}

function opened(socket: WebSocket, url: string, withinMs: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (): void => reject(new Problem(`no inspector answers at ${url}`));
    const timer = setTimeout(() => {
      fail();
      socket.close();
    }, withinMs);
    socket.addEventListener('open', () => resolve());
    socket.addEventListener('error', fail);
    for (const event of ['open', 'error']) socket.addEventListener(event, () => clearTimeout(timer));
  });
}

interface Channel {
  readonly thread: Thread;
  receive(message: Message): void;
  /** Ends all that waits, and all that comes. */
  fail(reason: Error): void;
}

function createChannel(name: string, answerWithinMs: number, post: (text: string) => void): Channel {
  const waiting = new Map<number, PromiseWithResolvers<unknown>>();
  let next = 1;
  let failed: Error | undefined;
  const send = async (method: string, parameters: object = {}): Promise<unknown> => {
    if (failed !== undefined) throw failed;
    const id = next++;
    const answer = Promise.withResolvers<unknown>();
    waiting.set(id, answer);
    const timer = setTimeout(() => answer.reject(new Problem(`${name} did not answer ${method} within ${answerWithinMs / 1000} s`)), answerWithinMs);
    try {
      post(JSON.stringify({ id, method, params: parameters }));
      return await answer.promise;
    } finally {
      clearTimeout(timer);
      waiting.delete(id);
    }
  };
  return {
    thread: { name, send },
    receive({ id = 0, result, error }) {
      if (error) waiting.get(id)?.reject(new Problem(`${name}: ${error.message}`));
      else waiting.get(id)?.resolve(result);
    },
    fail(reason) {
      failed ??= reason;
      for (const { reject } of waiting.values()) reject(reason);
    },
  };
}
