/**
 * The Dockerfile, followed step by step without a container engine: what it copies is there and is enough, and Mica runs
 * from it as the user of the image, who owns nothing and has no home.
 */
import { execFile, execFileSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { root } from '../../tooling/clone.js';
import { run, type Ran } from '../../tooling/run.js';
import { startApiServer } from '../api-server/server.js';

interface Step {
  readonly verb: string;
  readonly words: readonly string[];
  readonly text: string;
}
interface Stage {
  readonly name: string;
  readonly steps: readonly Step[];
}

const textOf = (file: string): string => readFileSync(join(root, file), 'utf8');

function stagesOf(dockerfile: string): readonly Stage[] {
  const stages: { name: string; steps: Step[] }[] = [];
  const lines = dockerfile
    .replaceAll(/^#.*\n/gm, '')
    .replaceAll(/\\\n\s*/g, '')
    .split('\n')
    .filter(Boolean);
  for (const line of lines) {
    const [verb = '', ...words] = line.split(/\s+/);
    if (verb === 'FROM') stages.push({ name: words[2] ?? 'final', steps: [] });
    else stages.at(-1)?.steps.push({ verb, words, text: words.join(' ') });
  }
  return stages;
}

const stages = stagesOf(textOf('Dockerfile'));
const final = stages.at(-1)?.steps ?? [];
const only = (verb: string): readonly string[] =>
  final.filter((step) => step.verb === verb).map(({ text }) => text);

/** As .dockerignore says: the last pattern that fits has the word. */
const patterns = textOf('.dockerignore')
  .split('\n')
  .filter((line) => line !== '' && !line.startsWith('#'));
const asPattern = (glob: string): RegExp =>
  new RegExp(`^${glob.replaceAll('.', '\\.').replaceAll('**/', '(.+/)?').replaceAll(/\*/g, '[^/]*')}$`);
function isSent(path: string): boolean {
  const folders = path.split('/').map((_, index, parts) => parts.slice(0, index + 1).join('/'));
  let sent = true;
  for (const pattern of patterns) {
    const wanted = asPattern(pattern.replace(/^!/, ''));
    if (folders.some((one) => wanted.test(one))) sent = pattern.startsWith('!');
  }
  return sent;
}

const folder = mkdtempSync(join(tmpdir(), 'mica-image-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }), 120_000);
const at = (stage: string, path = ''): string => join(folder, stage, path);

function copy(stage: string, words: readonly string[]): void {
  const from = /^--from=(\w+)$/.exec(words[0] ?? '')?.[1];
  const sources = words.slice(from === undefined ? 0 : 1, -1);
  const target = words.at(-1) ?? '';
  for (const source of sources) {
    const origin = from === undefined ? join(root, source) : at(from, source.replace('/src/', ''));
    const filter = (path: string): boolean =>
      from !== undefined || isSent(path.slice(root.length).replaceAll('\\', '/'));
    if (!existsSync(origin) || !filter(origin))
      throw new Error(`the Dockerfile copies ${source}, which is not there`);
    const into = target === './' ? source : target;
    // Tens of thousands of files, which nobody needs in that stage any more.
    if (into === 'node_modules') renameSync(origin, at(stage, into));
    else cpSync(origin, at(stage, into), { recursive: true, filter });
  }
}

interface Locked {
  readonly packages: Readonly<Record<string, { readonly dev?: boolean }>>;
}

/** What npm would install is what is installed here already. */
function npmCi(stage: string, words: readonly string[]): void {
  const target = at(stage, 'node_modules');
  if (!words.includes('--omit=dev')) {
    symlinkSync(join(root, 'node_modules'), target);
    return;
  }
  const { packages } = JSON.parse(textOf('package-lock.json')) as Locked;
  const wanted = Object.entries(packages).flatMap(([path, { dev }]) =>
    path !== '' && dev !== true && existsSync(join(root, path)) ? [path] : [],
  );
  // What lies in another one comes with it.
  const tops = wanted.filter((path) => path.lastIndexOf('node_modules/') === 0);
  mkdirSync(target);
  try {
    // Links, since these are tens of thousands of files; nothing writes to them.
    execFileSync('cp', ['-al', '--parents', ...tops, at(stage)], { cwd: root, stdio: 'ignore' });
  } catch {
    for (const path of tops) cpSync(join(root, path), at(stage, path), { recursive: true });
  }
}

async function follow({ name, steps }: Stage): Promise<void> {
  mkdirSync(at(name), { mode: 0o755 });
  for (const { verb, words, text } of steps) {
    if (verb === 'COPY') copy(name, words);
    else if (verb !== 'RUN') continue;
    else if (text.startsWith('npm ci ')) npmCi(name, words);
    else if (text.startsWith('node ')) await promisify(execFile)('sh', ['-c', text], { cwd: at(name) });
    // Of the image itself: tools of its base that go, and a name on the PATH.
    else if (!text.startsWith('rm -rf /usr/local/')) throw new Error(`the test cannot follow RUN ${text}`);
  }
}

const isRoot = process.getuid?.() === 0;

/** As the image runs it, or nearly so where this user may not become another. */
async function mica(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ran> {
  const command = [process.execPath, at('final', 'bin/mica'), ...args];
  const as = isRoot && existsSync('/usr/bin/setpriv');
  const drop = ['/usr/bin/setpriv', '--reuid=65532', '--regid=65532', '--clear-groups', '--no-new-privs'];
  const [program = '', ...rest] = as ? [...drop, ...command] : command;
  return run(program, rest, { cwd: '/', env: { PATH: process.env['PATH'] ?? '', ...env } });
}

const ownEnv = Object.fromEntries(
  only('ENV').flatMap((text) => text.split(' ').map((one) => one.split('='))),
);

describe('the image', () => {
  beforeAll(async () => {
    chmodSync(folder, 0o755);
    for (const stage of stages) await follow(stage);
  }, 120_000);

  it('holds what runs: no sources, no tests, no tools of development, no npm', () => {
    for (const path of [
      'src',
      'test',
      'scripts',
      'node_modules/typescript',
      'node_modules/vitest',
      'node_modules/esbuild',
    ])
      expect(existsSync(at('final', path)), path).toBe(false);
    expect(existsSync(at('final', 'dist/apps/cli/main.js'))).toBe(true);
    expect(existsSync(at('final', 'dist/.built-from'))).toBe(false);
    expect(only('RUN')[0]).toContain('rm -rf /usr/local/lib/node_modules /usr/local/bin/npm');
  });

  it('knows its version, without a home', async () => {
    const { version } = JSON.parse(textOf('package.json'));
    expect(await mica(['--version'])).toEqual({ code: 0, stdout: `${version}\n`, stderr: '' });
  });

  it('can be a controller, and says what it misses outside of a cluster', async () => {
    const { code, stdout } = await mica(['controller', '--help']);
    expect(code).toBe(0);
    expect(stdout).toContain('--listen');
    const alone = await mica(['controller', '--listen', 'none'], ownEnv);
    expect(alone.stderr).toContain('No kubeconfig was found');
    expect(alone.code).toBe(2);
  });

  it('reaches an API server', async () => {
    const server = await startApiServer();
    onTestFinished(() => server.close());
    const kubeconfig = join(folder, 'kubeconfig');
    copyFileSync(server.kubeconfigPath, kubeconfig);
    chmodSync(kubeconfig, 0o644);
    const { code, stderr } = await mica(['cluster', 'show', '--kubeconfig', kubeconfig], ownEnv);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(server.requests.map(({ status }) => status)).not.toContain(403);
  });

  it.runIf(isRoot && existsSync('/usr/bin/setpriv'))(
    'runs as somebody who can write nothing of it',
    async () => {
      const touch = ['--reuid=65532', '--regid=65532', '--clear-groups', 'touch', at('final', 'dist/x')];
      expect((await run('/usr/bin/setpriv', touch)).code).not.toBe(0);
    },
  );
});

describe('the Dockerfile', () => {
  it('runs as the user of the Deployment, by number, so that runAsNonRoot can be checked', () => {
    const { runAsUser, runAsGroup } = /runAsUser: (?<runAsUser>\d+)\n\s+runAsGroup: (?<runAsGroup>\d+)/.exec(
      textOf('deploy/kubernetes/controller/deployment.yaml'),
    )?.groups ?? { runAsUser: '', runAsGroup: '' };
    expect(only('USER')).toEqual([`${runAsUser ?? ''}:${runAsGroup ?? ''}`]);
    expect(only('ENTRYPOINT')).toEqual(['["mica"]']);
  });

  it('sends nothing else to whoever builds', () => {
    for (const path of [
      '.git/config',
      '.env',
      'node_modules/x',
      'out/x',
      'test/x',
      'src/core/errors.test.ts',
      '.mica/x',
    ])
      expect(isSent(path), path).toBe(false);
    for (const path of ['src/core/errors.ts', 'package-lock.json', 'bin/mica'])
      expect(isSent(path), path).toBe(true);
  });

  it('takes no secrets, and runs no scripts of packages', () => {
    const text = textOf('Dockerfile');
    expect(text).not.toMatch(/ARG .*(token|secret|password)|--mount=type=secret|\.npmrc/i);
    for (const line of text.match(/npm ci.*/g) ?? []) expect(line).toContain('--ignore-scripts');
  });
});
