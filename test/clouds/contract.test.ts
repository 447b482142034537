import { nodePoolsContract } from '#ports/node-pools.contract';
import { EksWorld, oldGroup } from './eks-world.js';
import { GkeWorld, oldPool } from './gke-world.js';

nodePoolsContract('GKE', async () => {
  const world = await new GkeWorld().open();
  const { pools, api } = world;
  return {
    pools,
    old: oldPool.name,
    size: '2g.48gb',
    changes: () => api.changes.length,
    close: () => world.close(),
  };
});

nodePoolsContract('EKS', async () => {
  const world = await new EksWorld().open();
  const { pools, api } = world;
  const old = oldGroup.nodegroupName;
  return { pools, old, size: '2g.48gb', changes: () => api.changes.length, close: () => world.close() };
});
