/**
 * What asks the process to end: SIGTERM, SIGINT, and SIGHUP, which a closed terminal sends. The first asks for an orderly
 * end, the second ends at once.
 */
const SIGNALS = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const;

export function onStopSignals(stop: (signal: NodeJS.Signals) => void): () => void {
  let asked = false;
  const handle = (signal: NodeJS.Signals): void => {
    if (asked) process.exit(SIGNALS[signal as keyof typeof SIGNALS]);
    asked = true;
    stop(signal);
  };
  for (const signal of Object.keys(SIGNALS)) process.on(signal, handle);
  return () => {
    for (const signal of Object.keys(SIGNALS)) process.off(signal, handle);
  };
}
