import { runStoreContract } from '#ports/run-store.contract';
import { memoryRunStore } from './memory-run-store.js';

runStoreContract(async () => {
  const store = memoryRunStore();
  return { store, reopen: async () => store };
});
