/** A process that runs lives of the bench of changes: it is sent seeds and sends back results. */
import { runLife, type Result } from './change-life.js';

const lanes = 4;

process.once('message', (seeds: readonly number[]) => {
  void runAll([...seeds]).then((results) => process.send?.(results, () => process.disconnect()));
});

async function runAll(queue: number[]): Promise<readonly Result[]> {
  const results: Result[] = [];
  const runLane = async (): Promise<void> => {
    for (let seed = queue.shift(); seed !== undefined; seed = queue.shift()) {
      results.push(...(await runLife(seed, false)));
    }
  };
  await Promise.all(Array.from({ length: lanes }, runLane));
  return results;
}
