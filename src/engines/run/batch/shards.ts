/** One test command as several, by the sharding that its framework has itself. */
import type { BatchJob, Command } from './job.js';

/** Frameworks whose command alone says which part of the tests runs; Go has none, and is divided by packages. */
const dividers = {
  /** The plugin pytest-split: balanced by recorded durations, groups from 1. */
  pytest: (shard, shards) => ['--splits', `${shards}`, '--group', `${shard}`],
  /** The plugin pytest-shard: by a hash of the test's name, from 0. */
  'pytest-shard': (shard, shards) => [`--num-shards=${shards}`, `--shard-id=${shard - 1}`],
  vitest: (shard, shards) => [`--shard=${shard}/${shards}`],
  jest: (shard, shards) => [`--shard=${shard}/${shards}`],
  /** Every so manieth test, from the shard's own number on. */
  ctest: (shard, shards) => ['-I', `${shard},,${shards}`],
} as const satisfies Record<string, (shard: number, shards: number) => readonly string[]>;

export type Divider = keyof typeof dividers;
export type Framework = Divider | 'gotest';

export const frameworks: readonly Framework[] = [...(Object.keys(dividers) as Divider[]), 'gotest'];

/** pytest ends with 5 where a shard is left without tests: nothing failed. */
const passCodesOf = (framework: Framework): readonly number[] =>
  framework === 'pytest' || framework === 'pytest-shard' ? [0, 5] : [0];

export function shardJobs(framework: Divider, shards: number, command: Command): readonly BatchJob[] {
  return Array.from({ length: shards }, (_, index) => ({
    name: `${framework} ${index + 1}/${shards}`,
    command: [...command, ...dividers[framework](index + 1, shards)] as const,
    passCodes: passCodesOf(framework),
  }));
}

/**
 * What comes after `go test`: the packages are listed by `go list PATTERNS`, the rest stays. `null`: no `go test`.
 */
export function goTestParts(
  command: Command,
): { readonly head: Command; readonly patterns: readonly string[]; readonly tail: readonly string[] } | null {
  const at = command.indexOf('test');
  if (at < 1) return null;
  const [program, ...rest] = command;
  const head: Command = [program, ...rest.slice(0, at)];
  const others = rest.slice(at);
  const end = others.indexOf('-args');
  const own = end < 0 ? others : others.slice(0, end);
  // Values of flags look like neither paths nor patterns.
  const patterns = own.filter((word) => /^\.{1,2}(\/|$)|\.\.\.$/.test(word) && !word.startsWith('-'));
  return {
    head,
    patterns: patterns.length === 0 ? ['.'] : patterns,
    tail: others.filter((word) => !patterns.includes(word)),
  };
}

/** Packages dealt out in turn; fewer shards where there are fewer packages. */
export function goTestJobs(
  shards: number,
  { head, tail }: { readonly head: Command; readonly tail: readonly string[] },
  packages: readonly string[],
): readonly BatchJob[] {
  const count = Math.min(shards, packages.length);
  const end = tail.indexOf('-args');
  const [flags, args] = end < 0 ? [tail, []] : [tail.slice(0, end), tail.slice(end)];
  return Array.from({ length: count }, (_, index) => ({
    name: `gotest ${index + 1}/${count}`,
    command: [
      ...head,
      ...flags,
      ...packages.filter((_one, place) => place % count === index),
      ...args,
    ] as const,
    passCodes: passCodesOf('gotest'),
  }));
}
