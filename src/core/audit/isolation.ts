/** What slices of their own give these workloads, and what they take from them. */
import type { AuditAnswer } from './answer.js';
import type { Assessment } from './assess.js';
import { displayName } from './demand.js';
import { counted, listed } from './words.js';

/** Only what holds for this fleet: nothing, where nobody moves to a slice. */
export function isolationFor(assessments: readonly Assessment[]): AuditAnswer['isolation'] {
  const sliced = assessments.filter(({ judged }) => judged.verdict === 'slice');
  const sharing = assessments.filter(({ judged }) => judged.verdict === 'share');
  const fromWhole = [...sliced, ...sharing].filter(({ judged }) => judged.current.profile === null);
  const spread = assessments.filter(({ judged }) => judged.verdict === 'whole-gpu' && judged.devicesEach > 1);
  const turning = assessments.filter((one) => one.isTimeSliced);
  const bursting = sliced.filter(
    ({ judged: { compute } }) => compute !== null && compute.max - compute.p50 > 0.5,
  );
  return {
    gives: sentences(
      sliced.length > 0 &&
        'Memory of its own: no neighbour can take it or read it, and running out of it ends one workload, not all.',
      sliced.length > 0 &&
        'Faults stay inside: a crash or an error of one slice does not stop its neighbours.',
      sliced.length > 0 &&
        'Steady latency: the SMs, the cache and the memory bandwidth of a slice are its own.',
      turning.length > 0 &&
        `Figures of its own: ${names(turning)} would be measured apart, which time-slicing does not do.`,
    ),
    takes: sentences(
      spread.length > 0 &&
        `No copies between slices (P2P, NCCL, NVLink): ${names(spread)} ${spread.length === 1 ? 'keeps' : 'keep'} whole GPUs.`,
      spread.length === 0 &&
        sliced.length > 0 &&
        'No copies between slices: NCCL and NVLink do not reach across.',
      fromWhole.length > 0 &&
        `Spare memory is not borrowed any more: ${counted(fromWhole.length, 'workload')} on whole GPUs would end at the limit of the slice.`,
      bursting.length > 0 &&
        `Bursts take longer: ${names(bursting)} cannot use the SMs that neighbours leave idle.`,
      sliced.length + sharing.length > 0 && 'Another size means stopping what runs in the slice.',
      sharing.length > 0 &&
        `Replicas that share a slice (${names(sharing)}) have no memory limit and no steady latency among themselves.`,
    ),
  };
}

function names(assessments: readonly Assessment[]): string {
  return listed(assessments.map(displayName));
}

function sentences(...all: readonly (string | false)[]): readonly string[] {
  return all.filter((one) => one !== false);
}
