/** The suite can fail: a driver that lets a GPU instance go before its compute instances breaks the contract. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { requires } from '../tooling/requires.js';

const cc = requires('cc');
const root = fileURLToPath(new URL('../../', import.meta.url));

describe.skipIf(cc.missing)(cc.title('a planted bug'), () => {
  it('in the order of destruction fails the contract and the recordings, and nothing else does', async () => {
    const failed = await failedTests('bug-destroy-order');
    expect(failed).toContain('instances go compute instance first');
    expect(failed.join('\n')).toContain('RTX PRO 6000 Server: life of two layouts');
    expect(await failedTests('')).toEqual([]);
  });
});

/** Suite and title of the tests that fail on a double with these switches. */
async function failedTests(switches: string): Promise<readonly string[]> {
  const files = ['test/native/nvml-contract.test.ts', 'test/native/transcripts.test.ts'];
  const named = 'observed order.*(compute instance first|begin where)|life of two layouts';
  const args = ['node_modules/vitest/vitest.mjs', 'run', '--reporter=json', '-t', named, ...files];
  const env = { ...process.env, MICA_DOUBLE_SWITCHES: switches };
  const output = await new Promise<string>((resolve) => {
    execFile(process.execPath, args, { cwd: root, env }, (_, stdout) => resolve(stdout));
  });
  const report = JSON.parse(output.slice(output.indexOf('{'))) as {
    readonly testResults: readonly {
      readonly assertionResults: readonly {
        readonly status: string;
        readonly ancestorTitles: readonly string[];
        readonly title: string;
      }[];
    }[];
  };
  return report.testResults
    .flatMap(({ assertionResults }) => assertionResults)
    .filter(({ status }) => status === 'failed')
    .map(({ ancestorTitles, title }) => `${ancestorTitles.at(-1) ?? ''} ${title}`);
}
