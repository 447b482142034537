/**
 * Tools that some suites need and not every machine has. Such a suite skips by name, and its title says why:
 *
 *     const shellcheck = requires('shellcheck');
 *     describe.skipIf(shellcheck.missing)(shellcheck.title('emitted scripts are clean'), () => { ... });
 *
 * `MICA_CI_STRICT` lists tools, separated by blanks, that this run promises to have: there a missing one is a failure.
 */
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** How to get each tool; `.ci/run` installs those that Debian has. */
const howToGet = {
  shellcheck: 'apt-get install shellcheck',
  cc: 'apt-get install build-essential',
  chromium: 'apt-get install chromium',
  prometheus: 'apt-get install prometheus',
  openssl: 'apt-get install openssl',
  pytest: 'apt-get install python3-pytest',
  ctest: 'apt-get install cmake',
  'systemd-analyze': 'apt-get install systemd',
  kubectl: 'https://kubernetes.io/docs/tasks/tools/',
  gcloud: 'https://cloud.google.com/sdk/docs/install',
  aws: 'https://docs.aws.amazon.com/cli/latest/userguide/getting-started-install.html',
  'npm-registry': 'reach the npm registry once, so that its cache holds the packages',
} as const;

export type Tool = keyof typeof howToGet;

export interface Requirement {
  readonly missing: boolean;
  /** The suite's title, with the reason where the suite will be skipped. */
  readonly title: (name: string) => string;
}

/** `isThere`: how to find out, where it is not a program on PATH. */
export function requires(tool: Tool, isThere: boolean = isOnPath(tool)): Requirement {
  if (isThere) return { missing: false, title: (name) => name };
  if (promised().includes(tool)) throw new Error(`${tool} is missing, and MICA_CI_STRICT promises it`);
  return { missing: true, title: (name) => `${name} [no ${tool}; to run it: ${howToGet[tool]}]` };
}

function promised(): readonly string[] {
  return (process.env['MICA_CI_STRICT'] ?? '').split(/\s+/);
}

function isOnPath(tool: string): boolean {
  return (process.env['PATH'] ?? '').split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, tool), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
