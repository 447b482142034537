/** A planner that always answers in time: where moving pods makes too long a program, it plans without moving any. */
import { MicaError } from '../../errors.js';
import type { Planner } from './scene.js';

export function inTime(plan: Planner): Planner {
  return (state, options) => {
    try {
      return plan(state, options);
    } catch (error) {
      if (!(error instanceof MicaError) || error.code !== 'solver-failed') throw error;
      const { rulesOf } = options;
      if (rulesOf === undefined) throw error;
      return plan(state, { ...options, rulesOf: (node) => ({ ...rulesOf(node), mayMovePods: false }) });
    }
  };
}
