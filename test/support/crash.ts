/** A process that dies: at the nth boundary every call stops, the ones under way included, and none works after it. */
import type { ChangePorts } from '#engines/change/ports';

class Crash extends Error {}

export interface MortalPorts {
  readonly ports: ChangePorts;
  /** Boundaries so far: before and after each journal write and each driver call that changes something. */
  readonly boundaries: () => number;
  readonly isDead: () => boolean;
}

const deadly = new Set([
  'append',
  'close',
  'setMigMode',
  'reset',
  'createGpuInstance',
  'createComputeInstance',
  'destroyComputeInstance',
  'destroyGpuInstance',
]);

/** `at` counts from 1; Infinity: lives on. */
export function mortal(ports: ChangePorts, at: number): MortalPorts {
  let count = 0;
  let isDead = false;
  const live = (): void => {
    if (isDead) throw new Crash('the process is gone');
  };
  const boundary = (name: string): void => {
    live();
    if (deadly.has(name) && (count += 1) === at) isDead = true;
    live();
  };
  const wrapped = <T extends object>(target: T): T =>
    new Proxy(target, {
      get: (object, key) => {
        const value: unknown = Reflect.get(object, key, object);
        if (typeof value !== 'function' || typeof key !== 'string' || key === 'nowMs') return value;
        return async (...args: unknown[]): Promise<unknown> => {
          boundary(key);
          const answer: unknown = await Reflect.apply(value, object, args);
          boundary(key);
          return answer;
        };
      },
    });
  return {
    ports: {
      ...ports,
      driver: wrapped(ports.driver),
      journal: wrapped(ports.journal),
      clock: wrapped(ports.clock),
    },
    boundaries: () => count,
    isDead: () => isDead,
  };
}
