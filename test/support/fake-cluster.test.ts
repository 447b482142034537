/** The cluster in memory earns trust by passing what the adapter passes. */
import { clusterApiContract } from '#ports/cluster-api.contract';
import { fakeCluster } from './fake-cluster.js';

clusterApiContract('in memory', () => Promise.resolve({ ...fakeCluster(), close: () => Promise.resolve() }));
