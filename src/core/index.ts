/** The pure half of Mica as a library: `import { ... } from 'mica/core'`. No I/O, no clock, no chance. */
export { migModels, modelByKey, models } from './catalogue/catalogue.js';
export { findModel, type ModelAnswer } from './catalogue/find-model.js';
export { findProfile, type ProfileAnswer } from './catalogue/find-profile.js';
export type {
  Attribute,
  Confidence,
  Engines,
  GpuModel,
  MigModel,
  Profile,
  UnmappedModel,
  WholeModel,
} from './catalogue/model.js';
export { defaultPrices } from './cost/default-prices.js';
export { withOverrides, type PriceOverride, type PriceTable } from './cost/price-table.js';
export { sliceUsdPerHour, usdPerMonth } from './cost/slice-cost.js';
export { MicaError, type ErrorCode } from './errors.js';
export { checkLayout, type Ask, type LayoutAnswer } from './geometry/check.js';
export type { Layout, Placement } from './geometry/placement.js';
export { reachOf, type Reach } from './geometry/reach.js';
export { layoutOf, slotOf, spaceOf, type Card, type Slot, type Space } from './geometry/space.js';
export { maximalStates, patternsOf, statesOf, type State } from './geometry/states.js';
export type { Demand } from './packing/demand.js';
export type { PriceProof } from './packing/fleet/price-proof.js';
export type { LinearProgram, Solution, Solve } from './packing/linear-program.js';
export { pack } from './packing/pack.js';
export type { PackOptions, Packing } from './packing/packing.js';
export type { CountProof, NoProof, Proof } from './packing/proof.js';
export { packServices, type Service, type ServingPlan } from './packing/serving.js';
export type { ExistingSlice, Fleet, FleetNode, Need, RentOption } from './plan/documents.js';
export { makePlan, type PlanAnswer, type PlanQuestion } from './plan/make-plan.js';
export type {
  Alternative,
  Assignment,
  Plan,
  PlanCost,
  PlannedGpu,
  RentedMachines,
  Unplaced,
} from './plan/plan.js';
export { stepsBetween, type GpuChange, type Step, type StepsAnswer } from './plan/steps.js';
export { profilesFor, type CardSizing } from './sizing/profiles-for.js';
export { sizeNeed } from './sizing/size-need.js';
export { formatMiB, parseMemoryMiB } from './units.js';
export { compact, type Compaction } from './packing/compaction/compact.js';
export { adaptiveBuddy } from './packing/online/adaptive-buddy.js';
export { createFleet, profileIndexOf, release, type FleetIndex } from './packing/online/fleet.js';
export { place } from './packing/online/place.js';
export { rank, type Policy, type Ranks } from './packing/online/policy.js';
export { repack } from './packing/online/repack.js';
