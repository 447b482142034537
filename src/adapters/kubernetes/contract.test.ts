/** The contract of the port, on a strict API server over HTTPS. */
import { clusterApiContract } from '#ports/cluster-api.contract';
import { serveCluster } from '../../../test/support/cluster-on-server.js';

clusterApiContract('kubernetes', () => serveCluster());
