/** What can go wrong between two sidecars of a host, as opposed to between a sidecar and its app. */

/** No live sidecar has this app id. */
export class PeerNotFound extends Error {
  constructor(appId: string) {
    super(`couldn't find service: ${appId}`);
    this.name = 'PeerNotFound';
  }
}

/** The other sidecar could not be talked to. `sent`: it may have seen the request, so that doing it again is not free. */
export class PeerUnreachable extends Error {
  readonly sent: boolean;
  constructor(appId: string, sent: boolean, cause: unknown) {
    super(`the sidecar of ${appId} ${sent ? 'broke off the call' : 'cannot be reached'}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
    this.name = 'PeerUnreachable';
    this.sent = sent;
  }
}
