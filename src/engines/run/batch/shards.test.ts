import { describe, expect, it } from 'vitest';
import { goTestJobs, goTestParts, shardJobs } from './shards.js';

const commands = (...args: Parameters<typeof shardJobs>) =>
  shardJobs(...args).map(({ command }) => command.join(' '));

describe('shards', () => {
  it('are said as each framework says it', () => {
    expect(commands('pytest', 2, ['pytest', '-q'])).toEqual([
      'pytest -q --splits 2 --group 1',
      'pytest -q --splits 2 --group 2',
    ]);
    expect(commands('pytest-shard', 2, ['pytest'])).toEqual([
      'pytest --num-shards=2 --shard-id=0',
      'pytest --num-shards=2 --shard-id=1',
    ]);
    expect(commands('vitest', 3, ['npx', 'vitest', 'run'])[2]).toBe('npx vitest run --shard=3/3');
    expect(commands('jest', 3, ['npx', 'jest'])[0]).toBe('npx jest --shard=1/3');
    expect(commands('ctest', 4, ['ctest'])[3]).toBe('ctest -I 4,,4');
    expect(shardJobs('pytest', 1, ['pytest'])[0]).toMatchObject({ name: 'pytest 1/1', passCodes: [0, 5] });
  });

  it('of Go are packages', () => {
    const parts = goTestParts(['go', 'test', '-run', 'TestGpu', './...', '-v', '-args', './data'])!;
    expect(parts).toEqual({
      head: ['go', 'test'],
      patterns: ['./...'],
      tail: ['-run', 'TestGpu', '-v', '-args', './data'],
    });
    expect(goTestJobs(2, parts, ['a', 'b', 'c']).map(({ command }) => command.join(' '))).toEqual([
      'go test -run TestGpu -v a c -args ./data',
      'go test -run TestGpu -v b -args ./data',
    ]);
    expect(goTestJobs(4, parts, ['a'])).toHaveLength(1);
    expect(goTestParts(['go', 'test'])?.patterns).toEqual(['.']);
    expect(goTestParts(['go', 'vet'])).toBeNull();
  });
});
