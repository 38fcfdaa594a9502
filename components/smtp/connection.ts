/**
 * One conversation with a mail server: connect, STARTTLS where it is offered, sign in, and what is done then. A connection
 * lives as long as its one task, so nothing has to be healed.
 *
 * Rules
 * - User and password cross no network in the clear: with a user set, a server that is not on this host must speak TLS.
 * - Every wait is bounded: to connect, to be greeted, and between two signs of life.
 * - A signal ends the conversation at once, by closing its socket.
 */
import { isIP } from 'node:net';
import { BindingError, type BindingFault } from '@mecha/components/kit';

export interface MailServer {
  readonly host: string;
  readonly port: number;
  readonly user: string | undefined;
  readonly password: string | undefined;
  readonly skipTLSVerify: boolean;
  readonly caCert: string | undefined;
}

interface Envelope {
  readonly from: string;
  readonly to: readonly string[];
}
/** What a task may do once signed in. Resolves with those of the recipients that the server refused. */
export interface Conversation {
  send(envelope: Envelope, message: Buffer): Promise<readonly string[]>;
}

const IMPLICIT_TLS_PORT = 465;
const CONNECT_TIMEOUT_MS = 15_000;
const GREETING_TIMEOUT_MS = 15_000;
/** Servers scan a mail before they take it; the standard asks for ten minutes, which no caller waits. */
const SILENCE_MOST_MS = 60_000;

/** Runs `task` in a conversation of its own. Rejects with `BindingError`. */
export async function converse<T>(server: MailServer, signal: AbortSignal, task: (conversation: Conversation) => Promise<T>): Promise<T> {
  const { default: SmtpConnection } = await import('nodemailer/lib/smtp-connection');
  if (signal.aborted) throw calledOff(signal);
  const { host, port, user, password, skipTLSVerify, caCert } = server;
  const connection = new SmtpConnection({
    host,
    port,
    secure: port === IMPLICIT_TLS_PORT,
    requireTLS: user !== undefined && port !== IMPLICIT_TLS_PORT && !isLoopback(host),
    connectionTimeout: CONNECT_TIMEOUT_MS,
    greetingTimeout: GREETING_TIMEOUT_MS,
    socketTimeout: SILENCE_MOST_MS,
    dnsTimeout: CONNECT_TIMEOUT_MS,
    allowInternalNetworkInterfaces: true,
    tls: { rejectUnauthorized: !skipTLSVerify, minVersion: 'TLSv1.2', ...(caCert ? { ca: caCert } : {}) },
  });

  // Errors outside of a step (a socket that breaks) come as an event; whichever is first ends the conversation.
  const broken = Promise.withResolvers<never>();
  broken.promise.catch(() => undefined);
  connection.on('error', (error: Error) => broken.reject(error));
  connection.once('end', () => broken.reject(new Error('the mail server closed the connection')));
  const leave = (): void => broken.reject(calledOff(signal));
  signal.addEventListener('abort', leave, { once: true });
  const step = <R>(run: (done: (error?: Error | null, result?: R) => void) => void): Promise<R> =>
    Promise.race([
      broken.promise,
      new Promise<R>((resolve, reject) => run((error, result) => (error ? reject(error) : resolve(result as R)))),
    ]);

  try {
    await step<void>((done) => connection.connect((error) => done(error)));
    if (user !== undefined) await step<void>((done) => connection.login({ user, pass: password ?? '' }, (error) => done(error)));
    const result = await task({
      send: async (envelope, message) => {
        const use8BitMime = message.some((byte) => byte > 0x7f);
        const sent = await step<{ rejected?: readonly string[] }>((done) =>
          connection.send({ from: envelope.from, to: [...envelope.to], size: message.byteLength, use8BitMime }, message, (error, info) => done(error, info)),
        );
        return sent.rejected ?? [];
      },
    });
    connection.quit();
    return result;
  } catch (error) {
    throw error instanceof BindingError ? error : faultOf(error);
  } finally {
    signal.removeEventListener('abort', leave);
    connection.close();
  }
}

const isLoopback = (host: string): boolean => host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));

const calledOff = (signal: AbortSignal): BindingError => new BindingError('timeout', 'the mail server did not take the mail in the time allowed', { cause: signal.reason });

/** Words of the library, with what the server answered; neither holds the password. */
function faultOf(reason: unknown): BindingError {
  const error = reason instanceof Error ? reason : new Error(String(reason));
  const { code, responseCode } = error as Error & { code?: string; responseCode?: number };
  return new BindingError(faultWord(code, responseCode), `mail server: ${error.message}`, { cause: error });
}

function faultWord(code: string | undefined, responseCode = 0): BindingFault {
  if (code === 'ETIMEDOUT') return 'timeout';
  if (code === 'ECONNECTION' || code === 'ESOCKET' || code === 'EDNS' || code === 'ECONNREFUSED') return 'unavailable';
  if (code === 'EENVELOPE' || code === 'EMESSAGE') {
    // Without a code: the library has compared with the limit that the server had announced.
    if (responseCode === 552 || responseCode === 523 || (code === 'EMESSAGE' && responseCode === 0)) return 'too-large';
    if (responseCode >= 500) return 'denied';
  }
  return 'failed';
}
