/** Doing on one GPU: each driver call between two journal records, each looked at afterwards. */
import {
  actionInWords,
  isPossible,
  showsDone,
  wayTo,
  type CardState,
  type GpuAction,
  type LiveGpu,
  type LiveInstance,
} from '#core/plan/gpu-actions';
import { asArgument } from '#core/geometry/placement';
import { unreachable } from '#core/errors';
import type { DriverAnswer, DriverFailure } from '#ports/gpu-driver';
import type { SliceFence } from '#ports/slice-guard';
import { driverWhy, type Why } from './answer.js';
import type { ChangeLog } from './change-log.js';
import { isSameGpu, lookAt, type Looked } from './look.js';
import { destroyedOn, isMade, madeOn } from './made.js';
import type { ChangePorts } from './ports.js';
import { isMarked, isSameBoot, type GpuIntent, type InstanceMark, type StepResult } from './records.js';

/** One GPU of a change that is being made, rolled back or resumed. */
export interface Work {
  readonly ports: ChangePorts;
  readonly log: ChangeLog;
  readonly intent: GpuIntent;
  /** A driver that says "in use" is asked again for so long. */
  readonly patience: { leftMs: number };
  /** Keeps what is made from being leased before the change is through. */
  readonly fence: Pick<SliceFence, 'made'>;
  /** Another GPU failed: stop before the next step. */
  readonly isStopped: () => boolean;
}

const retryMs = 500;
const tryAgainAfterMs: readonly number[] = [0, 500, 2_000];

/** Goes forward, and stops at the first thing that does not work. `null`: the GPU is there. */
export async function goTo(work: Work, target: CardState): Promise<Why | null> {
  const { ports, intent, patience } = work;
  let looked = await lookAt(ports.driver, intent.uuid);
  let stepsLeft: number | undefined;
  while (looked.ok) {
    const { actions, inTheWay } = wayTo(target, looked.value, mayDestroy(work));
    const [action] = actions;
    if (action === undefined) return inTheWay.length > 0 ? blocked(inTheWay) : null;
    // Every step that shows brings the end nearer; if it does not, somebody else is at work here.
    stepsLeft ??= 2 * actions.length + 4;
    if ((stepsLeft -= 1) < 0) return disturbed;
    if (work.isStopped()) return stopped;
    const step = await doStep(work, action, looked.value, false);
    if (!step.ok) {
      if (!isInUse(step.why) || patience.leftMs <= 0) return step.why;
      stepsLeft += 1;
    }
    looked = step.ok ? step : await lookAt(ports.driver, intent.uuid);
  }
  return looked.why;
}

/** Goes back, and does all that can be done: what fails is left for last and tried again. `null`: the GPU is there. */
export async function putBack(work: Work, target: CardState): Promise<Why | null> {
  let why: Why | null = null;
  for (const pauseMs of tryAgainAfterMs) {
    if (pauseMs > 0) await work.ports.clock.sleep(pauseMs);
    why = await putBackOnce(work, target);
    if (why === null) return null;
  }
  return why;
}

async function putBackOnce(work: Work, target: CardState): Promise<Why | null> {
  const { ports, intent } = work;
  const tried = new Set<string>();
  let why: Why | null = null;
  let looked = await lookAt(ports.driver, intent.uuid);
  while (looked.ok) {
    const live: LiveGpu = looked.value;
    const { actions, inTheWay } = wayTo(target, live, mayDestroy(work));
    if (actions.length === 0 && inTheWay.length === 0) return null;
    const action = actions.find((one) => isPossible(one, live) && !tried.has(JSON.stringify(one)));
    if (action === undefined) return why ?? (inTheWay.length > 0 ? blocked(inTheWay) : disturbed);
    tried.add(JSON.stringify(action));
    const step = await doStep(work, action, live, true);
    if (!step.ok) why = step.why;
    looked = step.ok ? step : await lookAt(ports.driver, intent.uuid);
  }
  return looked.why;
}

/** One driver call, and the GPU after it. Only what the GPU shows then counts. */
async function doStep(
  work: Work,
  action: GpuAction,
  before: LiveGpu,
  back: boolean,
): Promise<Looked<LiveGpu>> {
  const { ports, log, intent } = work;
  const { uuid } = intent;
  await fenceMade(work, action, back);
  const step = log.nextStep();
  await log.add({ kind: 'begin', step, uuid, action, back });
  const answer = back ? await call(work, action) : await callPatiently(work, action, before);
  const absent = action.kind === 'create-instance' && !answer.ok && (await isAbsent(work, action));
  await log.add({ kind: 'end', step, uuid, result: resultOf(answer, absent) });
  // "Reset required" means that the mode is set and pending: the next look finds the reset as what is left to do.
  if (!answer.ok && !(action.kind === 'set-mode' && answer.why.kind === 'reset-required')) {
    const why = cannotReset(action, answer) ? needsReboot(answer) : driverWhy(answer, actionInWords(action));
    return { ok: false, why };
  }
  const isOfMode = action.kind === 'set-mode' || action.kind === 'reset';
  const looked = await lookAt(ports.driver, uuid, isOfMode ? null : before.mig);
  if (!looked.ok || showsDone(action, looked.value)) return looked;
  return { ok: false, why: answer.ok ? unverified(action) : driverWhy(answer, actionInWords(action)) };
}

/** Without a compute instance a slice cannot be leased yet, and it must not be while a roll-back may destroy it. */
async function fenceMade({ fence, intent }: Work, action: GpuAction, back: boolean): Promise<void> {
  if (action.kind !== 'create-compute' || action.instanceId === null) return;
  const { placement, instanceId } = action;
  const fenced = fence.made({ gpuUuid: intent.uuid, placement, instanceId });
  // Going back makes what must be there again, whatever can be written down.
  await (back ? fenced.catch(() => undefined) : fenced);
}

/** One step, however often the driver is asked: a wait of hours leaves two records. */
async function callPatiently(
  work: Work,
  action: GpuAction,
  before: LiveGpu,
): Promise<DriverAnswer<number | null>> {
  const { ports, intent, patience, isStopped } = work;
  for (;;) {
    const answer = await call(work, action);
    if (answer.ok || answer.why.kind !== 'in-use' || patience.leftMs <= 0 || isStopped()) return answer;
    await ports.clock.sleep(retryMs);
    patience.leftMs -= retryMs;
    const now = await lookAt(ports.driver, intent.uuid);
    // What to do next is decided anew where the GPU is not as it was.
    if (!now.ok || !isSameGpu(now.value, before)) return answer;
  }
}

async function isAbsent({ ports, intent }: Work, action: GpuAction): Promise<boolean> {
  const looked = await lookAt(ports.driver, intent.uuid);
  return looked.ok && !showsDone(action, looked.value);
}

async function call(
  { ports: { driver }, intent }: Work,
  action: GpuAction,
): Promise<DriverAnswer<number | null>> {
  const { uuid } = intent;
  switch (action.kind) {
    case 'set-mode':
      return withoutId(await driver.setMigMode(uuid, action.enabled));
    case 'reset':
      return withoutId(await driver.reset(uuid));
    case 'create-instance': {
      const profileId = await profileIdOf(driver, intent, action.placement.profile);
      if (!profileId.ok) return profileId;
      const made = await driver.createGpuInstance(uuid, profileId.value, action.placement.start);
      return made.ok ? { ok: true, value: made.value.id } : made;
    }
    case 'create-compute': {
      if (action.instanceId === null) throw new RangeError(`${action.placement.profile} does not stand yet`);
      const made = await driver.createComputeInstance(uuid, action.instanceId);
      return made.ok ? { ok: true, value: made.value.id } : made;
    }
    case 'destroy-compute':
      return withoutId(await driver.destroyComputeInstance(uuid, action.instanceId, action.computeId));
    case 'destroy-instance':
      return withoutId(await driver.destroyGpuInstance(uuid, action.instanceId));
    default:
      return unreachable(action);
  }
}

async function profileIdOf(
  driver: ChangePorts['driver'],
  { uuid, profileIds }: GpuIntent,
  name: string,
): Promise<DriverAnswer<number>> {
  const known = profileIds[name];
  if (known !== undefined) return { ok: true, value: known };
  const card = await driver.card(uuid);
  if (!card.ok) return card;
  const profile = card.value.profiles.find((one) => one.name === name);
  if (profile !== undefined) return { ok: true, value: profile.id };
  return {
    ok: false,
    why: { kind: 'bad-argument', message: `the card lists no profile ${name}`, code: null },
  };
}

/** What was there when the change began, as the same instance, and what the change itself has made. */
export function mayDestroy(work: Work): (instance: LiveInstance) => boolean {
  const { intent, log, ports } = work;
  const boot = ports.processes.bootId();
  const made = madeOn(log, intent.uuid, boot);
  const destroyed = destroyedOn(log, intent.uuid, boot);
  const seen = isOfThisBoot(work) ? intent.seen : [];
  const isIn = (marks: readonly InstanceMark[], instance: LiveInstance): boolean =>
    marks.some((mark) => isMarked(instance, mark));
  return (instance) =>
    made.some((mark) => isMade(instance, mark)) || (isIn(seen, instance) && !isIn(destroyed, instance));
}

/** Whether nothing has rebooted since the change began: else what was there then is gone. */
export function isOfThisBoot({ log, ports }: Work): boolean {
  return isSameBoot(log.records[0]?.boot, ports.processes.bootId());
}

function resultOf(answer: DriverAnswer<number | null>, absent: boolean): StepResult {
  if (answer.ok) return { ok: true, id: answer.value };
  const { kind: refusal, message } = answer.why;
  return { ok: false, refusal, message, ...(absent ? { absent } : {}) };
}

function withoutId(answer: DriverAnswer<unknown>): DriverAnswer<null> {
  return answer.ok ? { ok: true, value: null } : answer;
}

function cannotReset(action: GpuAction, { why }: DriverFailure): boolean {
  return action.kind === 'reset' && ['not-supported', 'no-permission', 'reset-required'].includes(why.kind);
}

function needsReboot({ why }: DriverFailure): Why {
  const message = `the MIG mode is set and waits for a reset that cannot be done here (${why.message})`;
  return { kind: 'needs-reboot', message };
}

function isInUse(why: Why): boolean {
  return why.kind === 'driver' && why.refusal === 'in-use';
}

function unverified(action: GpuAction): Why {
  return {
    kind: 'unverified',
    message: `the driver answered yes to: ${actionInWords(action)}; but the GPU does not show it`,
  };
}

function blocked(inTheWay: readonly LiveInstance[]): Why {
  const instances = inTheWay.map(({ placement }) => placement);
  const names = instances.map(asArgument).join(', ');
  return {
    kind: 'foreign',
    instances,
    message: `${names} came from somebody else meanwhile and is in the way`,
  };
}

const stopped: Why = { kind: 'other-gpu', message: 'another GPU of this change failed' };

const disturbed: Why = {
  kind: 'unverified',
  message: 'the GPU changes while it is being changed: somebody else is at work on it',
};
