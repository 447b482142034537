/** How any command starts and fails, whatever it is. */
import { describe, expect, it } from 'vitest';
import { runMica } from './run-mica.js';

describe('a failure', () => {
  it('shows what was typed without letting it act on the terminal or fill it', async () => {
    const { stderr } = await runMica(['layout', 'list', `\u001b[2J${'x'.repeat(10_000)}`]);
    expect(stderr).not.toContain('\u001b');
    expect(stderr).toContain('\\x1b[2J');
    expect(stderr.length).toBeLessThan(1000);
  });

  it('shows a stack trace only to who asks for one', async () => {
    const args = ['layout', 'list', 'h1000'];
    expect((await runMica(args)).stderr).not.toMatch(/^\s+at /m);
    expect((await runMica(args, { env: { MICA_DEBUG: '1' } })).stderr).toMatch(/^\s+at /m);
  });

  it.each([
    [['pakc'], "unknown command 'pakc'; did you mean pack?"],
    [['layout', 'chek'], "unknown command 'chek'; did you mean check?"],
    [['size', '--memroy', '1GiB'], "unknown option '--memroy'; did you mean --memory?"],
    [['plan'], "required option '-f, --file <file>' not specified"],
    [['plan', '-f'], "option '-f, --file <file>' argument missing"],
    [['plan', '-f', 'x', '--emit', 'nomad'], 'Allowed choices are vm, mig-parted, gke'],
    [['catalogue', 'h100', 'a100'], 'too many arguments'],
    [['size'], 'say how much a replica needs'],
    [['pack', 'h100'], 'nothing to pack'],
    [['pack', 'h100', '1g.10gb'], "'1g.10gb' is not PROFILE=COUNT"],
    [
      ['pack', 'h100', '1g.10gb=1', '--gpus', '-1'],
      "--gpus must be a whole number from 0 to 10000000, got '-1'",
    ],
    [['layout', 'check', 't4', '1g.5gb'], 't4-16gb has no MIG'],
    [['layout', 'check', 'h100', '1g.10gb', '--taken', '3g.40gb'], 'say where it starts'],
    [['layout', 'check', 'h100', '-f', 'fixtures/cli/layouts.yaml'], 'not both'],
  ])('%j: exit 2', async (args, said) => {
    const { stdout, stderr, exit } = await runMica(args);
    expect({ stdout, exit }).toEqual({ stdout: '', exit: 2 });
    expect(stderr).toContain(said);
    expect(stderr).toMatch(/^What to do: .* \[[a-z-]+\]$/m);
  });
});

describe('--json', () => {
  it.each([
    [['layout', 'check', 'h100', '7g.80gb', '1g.10gb'], 1],
    [['layout', 'check', 'h100', '1g.5gb'], 1],
    [['pack', 'h100', '1g.5gb=1'], 1],
    [['pack', 'rtx-pro-6000', '4g.96gb=2', '--gpus', '1'], 1],
    [['size', '--memory', '900GiB'], 1],
    [['layout', 'list', 'nope'], 2],
    [['catalogue', 'b200'], 0],
    [['layout', 'draw', 'h100'], 0],
  ])('%j: one JSON value, exit %d, wherever the flag stands', async (args, exit) => {
    const after = await runMica([...args, '--json']);
    expect(after.exit).toBe(exit);
    expect(typeof JSON.parse(after.stdout)).toBe('object');
    expect((await runMica(['--json', ...args])).stdout).toBe(after.stdout);
  });
});

it('without a command Mica looks around and says what to type', async () => {
  const here = process.execPath;
  const env = { KUBECONFIG: here, PROMETHEUS_URL: 'http://127.0.0.1:1' };
  const { stdout, exit } = await runMica([], { env });
  expect(exit).toBe(0);
  expect(stdout).toContain(`Kubernetes  ${here}`);
  expect(stdout).toMatch(/Prometheus {2}not found/);
  expect(stdout).toContain('mica demo');
  const { found, suggestions } = JSON.parse((await runMica(['--json'], { env })).stdout);
  expect(found).toMatchObject({ kubeconfig: here, prometheus: null });
  expect(suggestions.length).toBeGreaterThan(1);
});

it('a terminal gets colours and lines, unless NO_COLOR is set', async () => {
  const args = ['size', '--memory', '20GiB', '--gpu', 'h100'];
  const terminal = await runMica(args, { columns: 100 });
  expect(terminal.stdout).toContain('\u001b[1m');
  expect(terminal.stdout).toContain('───');
  expect((await runMica(args, { columns: 100, env: { NO_COLOR: '1' } })).stdout).not.toContain('\u001b');
  const pipe = await runMica(args);
  for (const sign of ['\u001b', '─']) expect(pipe.stdout).not.toContain(sign);
});
