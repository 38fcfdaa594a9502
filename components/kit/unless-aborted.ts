/**
 * Waits for work that knows no signals: rejects with the signal's reason as soon as it is called off. The work itself goes
 * on, and whatever becomes of it then is nobody's concern any more; `calledOff` may end it.
 */
export function unlessAborted<T>(work: Promise<T>, signal: AbortSignal, calledOff?: () => void): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const abort = (): void => {
      calledOff?.();
      reject(signal.reason as Error);
    };
    if (signal.aborted) abort();
    else signal.addEventListener('abort', abort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}
