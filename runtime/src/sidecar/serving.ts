/** What listens and answers. The host loads it while the writer thread of the ledger comes up, so nothing here may be needed to open that. */
export { createPeerLink } from '../peers/peer-link.ts';
export { MetricsServer } from '../servers/metrics-server.ts';
export { createSidecar } from './sidecar.ts';
