/** The contract of the port, on an API server over HTTPS: the strict one in memory, or a real one. */
import { clusterApiContract } from '#ports/cluster-api.contract';
import { clusterByApi } from '../../../test/support/cluster-by-api.js';

clusterApiContract('kubernetes', clusterByApi);
