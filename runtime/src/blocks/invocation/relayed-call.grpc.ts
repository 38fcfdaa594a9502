/**
 * A relayed gRPC call under the callee's policy (grpc-api.md 6). Nobody knows whether its method streams, so the call itself tells:
 *
 *  1. `dapr-stream` in the metadata: the policy covers the way to the app; what flows then takes as long as it likes.
 *  2. Else it covers the whole call. Where it may retry, the first message of the caller is kept to be sent again, a second one
 *     ends the call, and nothing is tried again once a message of the app has gone to the caller.
 *  3. What the last attempt answered reaches the caller as it is: headers, status, trailers.
 */
import type { GrpcForwardLink, GrpcProxyCall, GrpcProxyStatus } from '../../servers/grpc-face.ts';
import { PermanentFailure, type PolicyRunner } from '../../resilience/resilience.ts';

/** The app's status as policies see it: `grpcCode` is what their `matching` compares. */
class AnsweredWithStatus extends Error {
  readonly grpcCode: number;
  readonly status: GrpcProxyStatus;
  constructor(status: GrpcProxyStatus) {
    super(status.message);
    this.name = 'AnsweredWithStatus';
    this.grpcCode = status.code;
    this.status = status;
  }
}

const OK = 0;
const TRUE_WORD = /^(?:1|true|yes|on|t|y)$/i;

/** `streamed` makes the error for a second message where the policy retries. Rejects with what `connect` or the policy rejects with. */
export async function relayUnderPolicy(policy: PolicyRunner, call: GrpcProxyCall, connect: () => Promise<GrpcForwardLink>, streamed: () => Error): Promise<GrpcProxyStatus> {
  if (call.metadata.some(([name, value]) => name === 'dapr-stream' && TRUE_WORD.test(String(value)))) {
    const link = await policy.run(call.signal, connect);
    return link.relay(call);
  }
  const request = policy.retries ? new KeptRequest(call.messages) : undefined;
  const begun = new AbortController();
  let headers: Parameters<GrpcProxyCall['sendHeaders']>[0] | undefined;
  const sendHeaders = (): void => {
    if (headers) call.sendHeaders(headers);
    headers = undefined;
  };
  try {
    const status = await policy.run(
      call.signal,
      async (signal) => {
        headers = undefined;
        const link = await connect();
        signal.throwIfAborted();
        const answer = await link.relay({
          ...call,
          signal,
          messages: request?.messages() ?? call.messages,
          sendHeaders(given) {
            if (signal.aborted) return;
            headers = given;
            if (!request) sendHeaders();
          },
          async send(bytes) {
            signal.throwIfAborted();
            sendHeaders();
            begun.abort();
            await call.send(bytes);
          },
        });
        if (request?.isStreamed) throw new PermanentFailure(streamed());
        signal.throwIfAborted();
        if (answer.code !== OK) throw new AnsweredWithStatus(answer);
        return answer;
      },
      { stopRetrying: begun.signal },
    );
    sendHeaders();
    return status;
  } catch (error) {
    if (!(error instanceof AnsweredWithStatus)) throw error;
    sendHeaders();
    return error.status;
  }
}

/** The caller's one message, for as many attempts as it takes. */
class KeptRequest {
  readonly #source: AsyncIterator<Buffer>;
  #first: Promise<IteratorResult<Buffer>> | undefined;
  #second: Promise<IteratorResult<Buffer>> | undefined;
  /** There was a second message. */
  isStreamed = false;

  constructor(source: AsyncIterable<Buffer>) {
    this.#source = source[Symbol.asyncIterator]();
  }

  /** Attempts that were given up may still wait for the same message. */
  async *messages(): AsyncGenerator<Buffer, void, undefined> {
    const first = await (this.#first ??= this.#source.next());
    if (first.done) return;
    yield first.value;
    const second = await (this.#second ??= this.#source.next());
    if (second.done) return;
    this.isStreamed = true;
    throw new Error('a second message');
  }
}
