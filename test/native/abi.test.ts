/** Struct layouts, constants and functions: the fixture, the double's header, koffi's layout, and a real header agree. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { signatures, structs, versionWord } from '#adapters/nvml/abi';
import { wordsOf } from '#adapters/nvml/codes';
import { models } from '#core/catalogue/catalogue';
import { requires } from '../tooling/requires.js';
import { compile, doubleFolder } from './build.js';

interface Layout {
  readonly size: number;
  readonly versionWord?: number;
  readonly offsets: Readonly<Record<string, number>>;
}

const fixture = JSON.parse(readFileSync(new URL('./nvml-abi.json', import.meta.url), 'utf8')) as {
  readonly structs: Readonly<Record<string, Layout>>;
  readonly constants: Readonly<Record<string, number>>;
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

  it('and its constants', () => {
    const header = join(doubleFolder, 'nvml-abi.h');
    const named = constantsNamedIn(header);
    expect(named).toContain('NVML_ERROR_IN_USE');
    expect(constantsIn(header, named)).toEqual(constantsOf(named));
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

// NVIDIA's header is not ours to ship: NVML_HEADER names one where there is one. Older ones lack some of it.
if (realHeader !== '') {
  describe(`NVML as ${realHeader} has it`, () => {
    const text = readFileSync(realHeader, 'utf8');

    it('has the struct layouts of the fixture', () => {
      const known = layouts.filter(([name]) => text.includes(name));
      expect(known.length).toBeGreaterThan(layouts.length - 2);
      expect(layoutsIn(realHeader, known)).toEqual(withoutWords(known));
    });

    it('has its constants', () => {
      const named = constantsNamedIn(realHeader);
      expect(named.length).toBeGreaterThan(30);
      expect(constantsIn(realHeader, named)).toEqual(constantsOf(named));
    });

    it.each(Object.entries(signatures))('has %s with as many arguments', (name, { length }) => {
      const [, list] = new RegExp(`DECLDIR ${name}\\(([^)]*)\\)`).exec(text) ?? [];
      expect(list === 'void' ? 0 : list?.split(',').length).toBe(length);
    });
  });
}

describe('the constants of the fixture', () => {
  const words = (name: string) => wordsOf(fixture.constants[name] ?? -1);

  it('are those that the adapter has words for', () => {
    for (const name of Object.keys(fixture.constants).filter((one) => one.startsWith('NVML_ERROR_'))) {
      expect(words(name), name).not.toBe('unknown error');
    }
    expect(words('NVML_ERROR_IN_USE')).toBe('in use by another client');
    expect(words('NVML_ERROR_INSUFFICIENT_RESOURCES')).toBe('insufficient resources');
    expect(words('NVML_ERROR_RESET_REQUIRED')).toBe('a GPU reset is required');
  });

  it('name the profiles of the catalogue as NVML numbers them', () => {
    for (const model of models()) {
      for (const { name, nvmlEnum } of model.kind === 'mig' ? model.profiles : []) {
        expect(enumNames(name), `${model.key} ${name}`).toContain(constantNamed(nvmlEnum));
      }
    }
  });
});

function constantNamed(nvmlEnum: number): string | undefined {
  return Object.entries(fixture.constants).find(
    ([name, value]) => name.startsWith('NVML_GPU_INSTANCE_PROFILE_') && value === nvmlEnum,
  )?.[0];
}

/** `1g.24gb-me` is `..._1_SLICE_NO_ME`; a plain name may be the one with double memory. */
function enumNames(profile: string): readonly string[] {
  const [, slices = '', , attribute = ''] = /^(\d)g\.(\d+)gb(.*)$/.exec(profile) ?? [];
  const endings: Readonly<Record<string, readonly string[]>> = {
    '': ['', '_REV2'],
    '+me': ['_REV1'],
    '+gfx': ['_GFX'],
    '-me': ['_NO_ME'],
    '+me.all': ['_ALL_ME'],
  };
  return (endings[attribute] ?? []).map((ending) => `NVML_GPU_INSTANCE_PROFILE_${slices}_SLICE${ending}`);
}

function constantsNamedIn(header: string): readonly string[] {
  const words = new Set(readFileSync(header, 'utf8').match(/\w+/g));
  return Object.keys(fixture.constants).filter((name) => words.has(name));
}

function constantsOf(names: readonly string[]): Readonly<Record<string, number>> {
  return Object.fromEntries(names.map((name) => [name, fixture.constants[name]!]));
}

function constantsIn(header: string, names: readonly string[]): unknown {
  const prints = names.map(
    (name, at) => `printf("${at === 0 ? '' : ','}\\"${name}\\":%lld", (long long)${name});`,
  );
  return answerOf(header, prints);
}

type Named = readonly (readonly [string, Layout])[];

function withoutWords(some: Named = layouts): Readonly<Record<string, Pick<Layout, 'size' | 'offsets'>>> {
  return Object.fromEntries(some.map(([name, { size, offsets }]) => [name, { size, offsets }]));
}

function layoutsIn(header: string, some: Named = layouts): unknown {
  const prints = some.map(([name, { offsets }], index) => {
    const fields = Object.keys(offsets).map(
      (field, at) => `printf("${at === 0 ? '' : ','}\\"${field}\\":%zu", offsetof(${name}, ${field}));`,
    );
    const open = `printf("${index === 0 ? '' : ','}\\"${name}\\":{\\"size\\":%zu,\\"offsets\\":{", sizeof(${name}));`;
    return `${open}\n${fields.join('\n')}\nprintf("}}");`;
  });
  return answerOf(header, prints);
}

/** Compiles and runs a program that prints, as the members of an object, what the compiler makes of the header. */
function answerOf(header: string, prints: readonly string[]): unknown {
  const program = join(temporaryFolder(), 'answer');
  const includes = ['<stddef.h>', '<stdio.h>', JSON.stringify(header)].map((file) => `#include ${file}`);
  const text = `${includes.join('\n')}\nint main(void) {\nputchar('{');\n${prints.join('\n')}\nputchar('}');\nreturn 0;\n}\n`;
  writeFileSync(`${program}.c`, text);
  compile(program, [`${program}.c`], [`-I${dirname(header)}`]);
  return JSON.parse(execFileSync(program, { encoding: 'utf8' })) as unknown;
}

function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'mica-abi-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
