/** docs/guides/ci.md as it is run: the shell parts of its pipelines, and the shard modes of the frameworks that are here. */
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { parse } from 'yaml';
import { root } from '../tooling/clone.js';
import { requires } from '../tooling/requires.js';

const guide = readFileSync(join(root, 'docs/guides/ci.md'), 'utf8');
const pytest = requires('pytest', spawnSync('python3', ['-m', 'pytest', '--version']).status === 0);
const ctest = requires('ctest');

function pipeline(heading: string): unknown {
  const section = guide.slice(guide.indexOf(`## ${heading}\n`));
  const [, yaml = ''] = /```yaml\n([^]*?)```/.exec(section) ?? [];
  return parse(yaml);
}

/** A checked-out project, and a `mica` whose slices are simulated. */
function checkout() {
  const folder = mkdtempSync(join(tmpdir(), 'mica-ci-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));
  const write = (path: string, text: string): void => {
    mkdirSync(join(folder, path, '..'), { recursive: true });
    writeFileSync(join(folder, path), text);
  };
  const program = (name: string, text: string): void => {
    write(`bin/${name}`, `#!/bin/sh\n${text}\n`);
    chmodSync(join(folder, 'bin', name), 0o755);
  };
  const simulated = '--driver simulated --gpus rtx-pro-6000:1';
  program('mica', `verb=$1; shift; exec "${process.execPath}" "${root}/bin/mica" "$verb" ${simulated} "$@"`);
  program('pytest', 'exec python3 -m pytest "$@"');
  const env = {
    ...process.env,
    ...{ PATH: `${folder}/bin:${process.env['PATH'] ?? ''}`, MICA_STATE_DIR: join(folder, 'state') },
    ...{ RAN: join(folder, 'ran'), PYTHONDONTWRITEBYTECODE: '1' },
  };
  return {
    folder,
    write,
    program,
    // As the runners do: a shell that stops at the first command that fails.
    shell: (script: string) => {
      const options = { cwd: folder, env, encoding: 'utf8', timeout: 100_000 } as const;
      const { status, stdout, stderr } = spawnSync('bash', ['-e', '-o', 'pipefail', '-c', script], options);
      return { status, said: `${stdout}${stderr}` };
    },
    ran: () => (existsSync(env.RAN) ? readFileSync(env.RAN, 'utf8').trim().split('\n').sort() : []),
    junit: () => readFileSync(join(folder, 'results.xml'), 'utf8'),
  };
}

/** Divides as the plugin pytest-split does where it knows no durations, with its options and no others. */
const splitting = `
def pytest_addoption(parser):
    parser.addoption('--splits', type=int)
    parser.addoption('--group', type=int)
def pytest_collection_modifyitems(config, items):
    splits, group = config.getoption('splits'), config.getoption('group')
    assert splits is None or 1 <= group <= splits
    if splits: items[:] = items[group - 1::splits]
`;
const gpuTests = `
import os, pytest
@pytest.mark.parametrize('n', range(6))
def test_gpu(n):
    assert os.environ['CUDA_VISIBLE_DEVICES'].startswith('MIG-')
    with open(os.environ['RAN'], 'a') as log: log.write(f'{n}\\n')
`;

describe('the guide to CI', { timeout: 120_000 }, () => {
  it.skipIf(pytest.missing)(pytest.title('GitHub Actions: its steps run, each test once'), () => {
    const { jobs } = pipeline('GitHub Actions') as {
      readonly jobs: Readonly<Record<string, { readonly steps: readonly { readonly run?: string }[] }>>;
    };
    const scripts = Object.values(jobs).flatMap(({ steps }) => steps.flatMap(({ run }) => run ?? []));
    expect(scripts).toHaveLength(1);
    const { shell, write, ran, junit } = checkout();
    write('conftest.py', splitting);
    write('tests/gpu/test_some.py', gpuTests);
    // Fewer parts than in the guide, since each starts Python: two have no test, and pass.
    const script = scripts.join('\n').replace('--shards 16', '--shards 8');
    const { status, said } = shell(script);
    expect(status, said).toBe(0);
    expect(ran()).toEqual(['0', '1', '2', '3', '4', '5']);
    expect(junit()).toMatch(/tests="8" failures="0" errors="0"/);
  });

  it('GitLab: its script runs; a job that fails fails it, and the report is there', () => {
    const { 'gpu-tests': job } = pipeline('GitLab') as {
      readonly 'gpu-tests': {
        readonly script: readonly string[];
        readonly artifacts: { readonly reports: { readonly junit: string } };
      };
    };
    const { shell, write, program, ran, junit, folder } = checkout();
    program('bench', 'echo "seed=$SEED $1." >> "$RAN"; [ "$SEED" != 8 ]');
    write('tests.txt', "SEED=7 bench --quick\n# a remark\nbench 'a b'\nSEED=8 bench\n");
    const { status, said } = shell(job.script.join('\n'));
    expect(status, said).toBe(1);
    expect(ran()).toEqual(['seed= a b.', 'seed=7 --quick.', 'seed=8 .', 'seed=8 .']);
    expect(existsSync(join(folder, job.artifacts.reports.junit))).toBe(true);
    expect(junit()).toMatch(/tests="3" failures="1" errors="0"/);
  });

  it.skipIf(ctest.missing)(ctest.title('--shard ctest runs each test once'), () => {
    const { shell, write, ran } = checkout();
    const tests = Array.from({ length: 5 }, (_, n) => `add_test(t${n} sh -c "echo ${n} >> $RAN")`);
    write('CTestTestfile.cmake', `${tests.join('\n')}\n`.replaceAll('$', '\\$'));
    const { status, said } = shell('mica batch --shard ctest --shards 3 --profile 1g.24gb -- ctest');
    expect(status, said).toBe(0);
    expect(ran()).toEqual(['0', '1', '2', '3', '4']);
  });

  it('--shard vitest runs each file once', () => {
    const { shell, write, ran } = checkout();
    write('package.json', '{ "type": "module" }');
    for (const n of [0, 1, 2]) {
      const body = `import { appendFileSync } from 'node:fs'; import { it } from 'vitest';\n`;
      write(`tests/${n}.test.js`, `${body}it('runs', () => appendFileSync(process.env.RAN, '${n}\\n'));\n`);
    }
    const vitest = join(root, 'node_modules/vitest/vitest.mjs');
    const { status, said } = shell(
      `ln -s "${root}/node_modules" node_modules; mica batch --shard vitest --shards 2 -- "${process.execPath}" "${vitest}" run`,
    );
    expect(status, said).toBe(0);
    expect(ran()).toEqual(['0', '1', '2']);
  });
});
