/** Each NVML call of a change fails in turn, and the calls of its roll-back too: how it ends, what it says, what is left. */
import { beforeAll, describe, expect, it } from 'vitest';
import { exitOf } from '#apps/cli/commands/node/describe-change';
import { unreachable } from '#core/errors';
import type { CardState } from '#core/plan/gpu-actions';
import type { Outcome } from '#engines/change/answer';
import { requires } from '../tooling/requires.js';
import { faultBed, inWords, isChanging, type FaultBed, type Trial } from './fault-bed.js';
import { changing, codesOfReading, scenarios, type Scenario } from './fault-scenarios.js';
import type { LoggedCall } from './machine.js';

const cc = requires('cc');
const long = process.env['MICA_LONG'] === '1';
/** Most of a trial is waiting for threads, so several machines at once take little longer than one. */
const lanes = 6;

describe.skipIf(cc.missing).each(scenarios)(cc.title('faults of NVML: $name'), (scenario) => {
  let well: readonly Occurrence[];
  beforeAll(async () => {
    const [trial] = await runAll(scenario, [[]], (one) => one);
    expect(problemsOf(scenario, trial!)).toEqual([]);
    expect(trial!.answer.outcome).toBe('done');
    well = occurrencesIn(trial!.calls);
  });

  it('a call that changes something fails once', async () => {
    const calls = well.filter(({ call }) => call in changing);
    const faults = calls.flatMap(({ call, nth }) =>
      codesOf(scenario, call).flatMap((code) => [
        [`fail ${call} ${nth} ${code}`],
        // "No room" means that somebody else is there: nobody can know then that the call made it all the same.
        ...(code !== 23 && (long || code === 999 || code === 10)
          ? [[`fail-after ${call} ${nth} ${code}`]]
          : []),
      ]),
    );
    expect(await expectNoProblems(scenario, faults)).toContain('rolled-back');
  });

  it('a call that only reads fails once', async () => {
    const reads = well.filter(({ call }) => !(call in changing));
    const some = reads.filter(
      (one) => long || (scenario.codes === 'all' ? isFirstOrLast(one, reads) : one.nth === 1),
    );
    const codes = codesOfReading.slice(0, !long ? 1 : scenario.codes === 'all' ? 4 : 2);
    const ends = await expectNoProblems(
      scenario,
      some.flatMap(({ call, nth }) => codes.map((code) => [`fail ${call} ${nth} ${code}`])),
    );
    for (const end of ['refused', 'rolled-back']) expect(ends).toContain(end);
  });

  it('the GPU is gone from a call on', async () => {
    const at = well.filter(({ call }) => long || call in changing);
    const ends = await expectNoProblems(
      scenario,
      at.map(({ inAll }) => [`fail * ${inAll}+ 15`]),
    );
    expect(ends).toContain('failed');
  });

  it('a call of the roll-back fails too, once or from then on', async () => {
    const firsts = well.filter(({ call }) => call in changing);
    const some = long ? firsts : firsts.slice(-1);
    const codes = scenario.codes === 'few' ? [999] : [999, 15];
    const forward = await runAll(
      scenario,
      // An exit status has no room for 999.
      some.map(({ call, nth }) => [`fail ${call} ${nth} ${call === 'reset' ? 15 : 999}`]),
      ({ faults: [first = ''], calls }) => ({ first, calls }),
    );
    const faults = forward.flatMap(({ first, calls }) => {
      const failed = calls.findIndex(({ call, code }) => code === (call === 'reset' ? 15 : 999));
      const back = occurrencesIn(calls).slice(failed + 1);
      const worse = back.filter((one) => one.call in changing || (long && isFirstOrLast(one, back)));
      return worse.flatMap(({ call, nth }) =>
        (long && scenario.codes === 'all' ? codesOf(scenario, call) : codes).flatMap((code) => [
          [first, `fail ${call} ${nth} ${code}`],
          [first, `fail ${call} ${nth}+ ${code}`],
        ]),
      );
    });
    const ends = await expectNoProblems(scenario, faults);
    expect(ends).toContain('rolled-back');
    expect(ends).toContain('failed');
  });
});

function codesOf({ codes }: Scenario, call: string): readonly number[] {
  const all = changing[call] ?? codesOfReading;
  return long || codes === 'all' || call === 'reset' ? all : all.filter((code) => [19, 999].includes(code));
}

/** A call of a run: the nth of its function, and the nth of all. */
interface Occurrence {
  readonly call: string;
  readonly nth: number;
  readonly inAll: number;
}

function occurrencesIn(calls: readonly LoggedCall[]): readonly Occurrence[] {
  const counts = new Map<string, number>();
  return calls.map(({ call }, index) => {
    const nth = (counts.get(call) ?? 0) + 1;
    counts.set(call, nth);
    return { call, nth, inAll: index + 1 };
  });
}

function isFirstOrLast({ call, nth }: Occurrence, all: readonly Occurrence[]): boolean {
  const same = all.filter((one) => one.call === call);
  return nth === same[0]?.nth || nth === same.at(-1)?.nth;
}

/** The answer has the ways in which the changes ended. */
async function expectNoProblems(
  scenario: Scenario,
  faults: readonly (readonly string[])[],
): Promise<readonly Outcome[]> {
  const trials = await runAll(scenario, faults, (trial) => ({
    problems: problemsOf(scenario, trial),
    outcome: trial.answer.outcome,
  }));
  expect(trials).toHaveLength(faults.length);
  expect(trials.flatMap(({ problems }) => problems)).toEqual([]);
  return trials.map(({ outcome }) => outcome);
}

/** Only what is asked of a trial is kept: it holds thousands of calls. */
async function runAll<T>(
  scenario: Scenario,
  faults: readonly (readonly string[])[],
  keep: (trial: Trial) => T,
): Promise<readonly T[]> {
  const kept: T[] = [];
  const queue = [...faults];
  const runLane = async (): Promise<void> => {
    let bed: FaultBed | undefined;
    try {
      for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
        bed ??= await faultBed(scenario);
        kept.push(keep(await bed.trial(...next)));
      }
    } finally {
      await bed?.close();
    }
  };
  await Promise.all(Array.from({ length: Math.min(lanes, faults.length) }, runLane));
  return kept;
}

/** Everything that is not as promised, each with the faults that led to it. */
function problemsOf(scenario: Scenario, trial: Trial): readonly string[] {
  const { answer, faults, calls } = trial;
  const [before, wish] = [scenario.before.map(inWords), scenario.wish.map(inWords)];
  const problems: string[] = [];
  const must = (holds: boolean, what: string): void => {
    if (!holds)
      problems.push(
        `${faults.join(', ')}: ${what}\n  ${JSON.stringify(long ? trial.answer : { ...trial, calls: [] }).slice(0, 900)}`,
      );
  };
  const same = (some: readonly string[], others: readonly string[]): boolean => some.join() === others.join();
  const [first = ''] = faults;
  const [kind = '', call = '', , code = ''] = first.split(' ');
  const wasHit = calls.some((one) => call === '*' || (one.call === call && one.code === Number(code)));
  const whys = answer.gpus.flatMap(({ why }) => (why === undefined ? [] : [why]));

  must(
    exitOf(answer.outcome) === (answer.outcome === 'done' ? 0 : answer.outcome === 'refused' ? 1 : 3),
    'exit',
  );
  must(trial.keptTouched === 0, 'a slice that stays was touched');
  switch (answer.outcome) {
    case 'done':
      must(same(trial.holds, wish), 'done, and not as wanted');
      must(kind !== 'fail' || !(call in changing) || !wasHit, 'done, though a call that matters failed');
      break;
    case 'refused':
    case 'rolled-back':
      must(same(trial.holds, before), `${answer.outcome}, and not as before`);
      if (answer.outcome === 'refused') must(!calls.some(isChanging), 'refused, and something was tried');
      break;
    case 'failed':
      for (const { outcome, index, left, next } of answer.gpus) {
        const now = trial.holds[index ?? -1] ?? '';
        if (outcome !== 'failed') continue;
        must(/mica node restore/.test(next ?? ''), 'failed without the next command');
        must(
          left == null || wordsOf(left) === now.replaceAll(/[?]|, changing/g, ''),
          'failed, and what is left is not so',
        );
      }
      must(trial.openAfter === 1, 'failed, and the journal is closed');
      must(trial.meanwhile?.outcome === 'refused', 'another change was let in');
      break;
    case 'needs-reboot':
      must(call === 'reset', 'only a reset that is refused needs a reboot');
      break;
    case 'unchanged':
      must(false, 'the answer claims that there was nothing to do');
      break;
    default:
      unreachable(answer.outcome);
  }
  if (answer.outcome !== 'failed') must(trial.openAfter === 0, 'the journal is still open');
  if (answer.outcome !== 'done') {
    const said = whys.map(({ message }) => message).join('\n');
    must(whys.length === answer.gpus.length, 'a GPU has no reason');
    // A GPU that is lost is not listed any more; that is how it is told.
    const isUnlisted = whys.some((why) => why.kind === 'unknown-gpu');
    if (call !== '*' && wasHit && !(code === '15' && isUnlisted)) {
      must(said.includes(call === 'reset' ? 'nvidia-smi --gpu-reset' : call), 'the failed call has no name');
      must(said.includes(`NVML ${code})`), 'the code is not told');
    }
    const advised = whys.every(
      (why) => why.kind !== 'driver' || /; .*(run|end|look|reset|reboot|doctor)/.test(why.message),
    );
    must(advised, 'nobody says what to do');
  }
  must(['done', 'unchanged'].includes(trial.restored.outcome), 'restore did not work');
  // A mode that was set and waited is gone on with, GPU by GPU.
  const later = before.map((cut, gpu) =>
    ['done', 'needs-reboot'].includes(answer.gpus[gpu]?.outcome ?? '') ? wish[gpu]! : cut,
  );
  must(same(trial.holdsRestored, later), 'restore ended elsewhere');
  must(['done', 'unchanged'].includes(trial.again.outcome), 'the change could not be made afterwards');
  must(same(trial.holdsAgain, wish), 'the change afterwards ended elsewhere');
  return problems;
}

/** As the bed words what a GPU holds. */
function wordsOf(left: CardState): string {
  return inWords(left.mig ? left.placements.map(({ profile, start }) => `${profile}:${start}`) : null);
}
