/** SIGTERM and SIGINT: the first asks for an orderly end, the second ends at once. */
export function onStopSignals(stop: (signal: NodeJS.Signals) => void): () => void {
  let asked = false;
  const handle = (signal: NodeJS.Signals): void => {
    if (asked) process.exit(signal === 'SIGINT' ? 130 : 143);
    asked = true;
    stop(signal);
  };
  process.on('SIGTERM', handle).on('SIGINT', handle);
  return () => process.off('SIGTERM', handle).off('SIGINT', handle);
}
