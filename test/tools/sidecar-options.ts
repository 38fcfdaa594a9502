/** Options of a sidecar for tests that run one in their own process: free ports, defaults as on the command line. */
import { OptionValues, sidecarOptions } from '@mecha/runtime/config/options.ts';
import type { SidecarOptions } from '@mecha/runtime/config/sidecar-options.ts';

export function defaultsOf(changes: Partial<SidecarOptions> & { appId: string }): SidecarOptions {
  const values = new OptionValues(new Map([['app-id', changes.appId], ['dapr-http-port', '0'], ['dapr-grpc-port', '0']]), {});
  return { ...sidecarOptions(values, {}), ...changes };
}
