/** Struct sizes and offsets: the fixture, the double's header, koffi's layout, and a real header agree. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { structs, versionWord } from '#adapters/nvml/abi';
import { requires } from '../tooling/requires.js';
import { compile, doubleFolder } from './build.js';

interface Layout {
  readonly size: number;
  readonly versionWord?: number;
  readonly offsets: Readonly<Record<string, number>>;
}

const fixture = JSON.parse(readFileSync(new URL('./nvml-abi.json', import.meta.url), 'utf8')) as {
  readonly structs: Readonly<Record<string, Layout>>;
};
const layouts = Object.entries(fixture.structs);
const cc = requires('cc');
const realHeader = process.env['NVML_HEADER'] ?? '';

describe('struct layouts of NVML', () => {
  it.each([
    ['nvmlPciInfo_t', structs.pciInfo],
    ['nvmlMemory_t', structs.memory],
    ['nvmlMemory_v2_t', structs.memoryV2],
    ['nvmlProcessInfo_t', structs.processInfo],
    ['nvmlGpuInstancePlacement_t', structs.placement],
    ['nvmlGpuInstanceProfileInfo_t', structs.profileInfo],
    ['nvmlGpuInstanceProfileInfo_v2_t', structs.profileInfoV2],
    ['nvmlGpuInstanceProfileInfo_v3_t', structs.profileInfoV3],
    ['nvmlGpuInstanceInfo_t', structs.instanceInfo],
    ['nvmlComputeInstanceProfileInfo_t', structs.computeProfileInfo],
    ['nvmlComputeInstanceInfo_t', structs.computeInfo],
    ['nvmlEventData_t', structs.eventData],
  ] as const)('%s is laid out by koffi as in the fixture', (name, { size, members = {} }) => {
    const offsets = Object.fromEntries(Object.values(members).map((member) => [member.name, member.offset]));
    expect({ size, offsets }).toEqual({
      size: fixture.structs[name]?.size,
      offsets: fixture.structs[name]?.offsets,
    });
  });

  it('makes version words of size and version', () => {
    expect(versionWord(structs.profileInfoV2, 2)).toBe(0x2000098);
    expect(versionWord(structs.profileInfoV3, 3)).toBe(0x3000098);
    expect(fixture.structs['nvmlGpuInstanceProfileInfo_v3_t']?.versionWord).toBe(0x3000098);
  });
});

describe.skipIf(cc.missing)(cc.title('struct layouts in C'), () => {
  it('are those of the fixture in the header of the double', () => {
    expect(layoutsIn(join(doubleFolder, 'nvml-abi.h'))).toEqual(withoutWords());
  });

  it('show a difference', () => {
    const folder = temporaryFolder();
    const changed = readFileSync(join(doubleFolder, 'nvml-abi.h'), 'utf8').replace(
      'char name[96];',
      'char name[64];',
    );
    writeFileSync(join(folder, 'nvml.h'), changed);
    expect(layoutsIn(join(folder, 'nvml.h'))).not.toEqual(withoutWords());
  });
});

// NVIDIA's header is not ours to ship: NVML_HEADER names one where there is one.
if (realHeader !== '') {
  describe(`struct layouts of ${realHeader}`, () => {
    it('are those of the fixture', () => {
      expect(layoutsIn(realHeader)).toEqual(withoutWords());
    });
  });
}

function withoutWords(): Readonly<Record<string, Pick<Layout, 'size' | 'offsets'>>> {
  return Object.fromEntries(layouts.map(([name, { size, offsets }]) => [name, { size, offsets }]));
}

/** Compiles and runs a program that prints the layouts as the compiler sees them. */
function layoutsIn(header: string): unknown {
  const folder = temporaryFolder();
  const program = join(folder, 'layouts');
  writeFileSync(`${program}.c`, programFor(header));
  compile(program, [`${program}.c`], [`-I${dirname(header)}`]);
  return JSON.parse(execFileSync(program, { encoding: 'utf8' })) as unknown;
}

function programFor(header: string): string {
  const prints = layouts.map(([name, { offsets }], index) => {
    const fields = Object.keys(offsets).map(
      (field, at) => `printf("${at === 0 ? '' : ','}\\"${field}\\":%zu", offsetof(${name}, ${field}));`,
    );
    const open = `printf("${index === 0 ? '' : ','}\\"${name}\\":{\\"size\\":%zu,\\"offsets\\":{", sizeof(${name}));`;
    return `${open}\n${fields.join('\n')}\nprintf("}}");`;
  });
  const includes = ['<stddef.h>', '<stdio.h>', JSON.stringify(header)].map((file) => `#include ${file}`);
  return `${includes.join('\n')}\nint main(void) {\nputchar('{');\n${prints.join('\n')}\nputchar('}');\nreturn 0;\n}\n`;
}

function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'mica-abi-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
