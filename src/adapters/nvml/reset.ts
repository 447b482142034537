/** Resetting a GPU, for which NVML has no call: nvidia-smi does it, and its exit status is an NVML code. */
import { execFile } from 'node:child_process';
import type { DriverAnswer } from '#ports/gpu-driver';
import { refusal, wordsOf } from './codes.js';

export async function resetGpu(smiPath: string, uuid: string): Promise<DriverAnswer<undefined>> {
  const { code, output, failure } = await run(smiPath, ['--gpu-reset', '-i', uuid]);
  if (code === 0) return { ok: true, value: undefined };
  if (code === null) {
    const message = `${smiPath} could not be run, and only it can reset a GPU: ${failure}`;
    return { ok: false, why: { kind: 'not-supported', message, code: null } };
  }
  const said = output.trim().replaceAll(/\s+/g, ' ');
  return refusal(
    code,
    `nvidia-smi --gpu-reset -i ${uuid}: ${said === '' ? wordsOf(code) : said} (NVML ${code})`,
  );
}

interface Run {
  /** `null`: it did not start, or a signal ended it. */
  readonly code: number | null;
  readonly output: string;
  readonly failure: string;
}

function run(path: string, args: readonly string[]): Promise<Run> {
  return new Promise((resolve) => {
    execFile(path, args, { timeout: resetLimitMs }, (error, stdout, stderr) => {
      const output = `${stdout}\n${stderr}`;
      if (error === null) resolve({ code: 0, output, failure: '' });
      else
        resolve({ code: typeof error.code === 'number' ? error.code : null, output, failure: error.message });
    });
  });
}

/** A reset takes seconds; one that hangs must not hang us. */
const resetLimitMs = 120_000;
