/** One line of the demo's comparison, with all that is behind it. */
import type { Plan } from '#core/plan/plan';
import type { Inputs } from '../documents/inputs.js';
import type { Scenario } from './scenarios.js';

/** A scenario with its plan; `notes` say how the trace was read. */
export interface DemoResult {
  readonly scenario: Scenario;
  readonly inputs: Inputs;
  readonly plan: Plan;
  readonly ms: number;
}
