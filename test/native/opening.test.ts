/** A machine where NVML cannot be used says what is missing, and what can be done without it. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { openNvml } from '#adapters/nvml/driver';
import { MicaError } from '#core/errors';
import { requires } from '../tooling/requires.js';
import { compile } from './build.js';
import { makeMachine, type Switch } from './machine.js';

const cc = requires('cc');

async function failureOf(libraryPath: string): Promise<MicaError> {
  const error: unknown = await openNvml({ libraryPath }).then(
    () => 'it opened',
    (reason: unknown) => reason,
  );
  if (!(error instanceof MicaError)) throw new Error(`not a MicaError: ${String(error)}`);
  return error;
}

describe('a machine without NVML', () => {
  it.each(['libnvidia-ml-that-nobody-has.so.1', '/nowhere/libnvidia-ml.so.1'])('%s', async (path) => {
    const error = await failureOf(path);
    expect(error).toMatchObject({ code: 'no-nvml', exit: 3 });
    expect(error.message).toContain(path);
    expect(error.next).toContain('--driver simulated');
  });

  it('a file that is no library', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'mica-nvml-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const path = join(folder, 'libnvidia-ml.so.1');
    writeFileSync(path, 'not ELF\n');
    expect(await failureOf(path)).toMatchObject({ code: 'no-nvml' });
  });
});

describe.skipIf(cc.missing)(cc.title('a driver that does not start'), () => {
  it('a library that is not NVML', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'mica-nvml-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const path = join(folder, 'libnvidia-ml.so.1');
    writeFileSync(`${path}.c`, 'int another(void);\nint another(void) { return 0; }\n');
    compile(path, [`${path}.c`], ['-fPIC', '-shared']);
    expect(await failureOf(path)).toMatchObject({ code: 'no-nvml' });
  });

  it.each([
    ['no-driver', 'nvml-no-driver'],
    ['no-access', 'nvml-no-permission'],
    ['other-version', 'nvml-version-mismatch'],
  ] as const satisfies readonly (readonly [Switch, string])[])('%s', async (cause, code) => {
    const machine = makeMachine([{ key: 'h100-80gb-sxm' }]);
    onTestFinished(machine.remove);
    machine.setSwitches(cause);
    const error = await failureOf(machine.libraryPath);
    expect(error).toMatchObject({ code, exit: 3 });
    expect(error.next).toContain('--driver simulated');
  });
});
