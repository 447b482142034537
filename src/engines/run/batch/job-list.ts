/** A list of commands, one a line, as jobs. */
import type { BatchJob, Command } from './job.js';
import { wordsOf } from './words.js';

export type JobList =
  | { readonly ok: true; readonly jobs: readonly BatchJob[] }
  | { readonly ok: false; readonly problems: readonly { readonly line: number; readonly why: string }[] };

/** `shell`: each line as it is, to `sh -c`. Blank lines and those that begin with # are left out. */
export function jobsOf(text: string, { shell }: { readonly shell: boolean }): JobList {
  const jobs: BatchJob[] = [];
  const problems: { line: number; why: string }[] = [];
  for (const [index, raw] of text
    .replace(/^\ufeff/, '')
    .split('\n')
    .entries()) {
    const line = raw.trim();
    if (line === '' || line.startsWith('#')) continue;
    if (line.includes('\0')) {
      problems.push({ line: index + 1, why: 'it holds a NUL' });
    } else if (shell) {
      jobs.push({ name: line, command: ['sh', '-c', line], passCodes: [0] });
    } else {
      const words = wordsOf(line);
      if (!words.ok) problems.push({ line: index + 1, why: words.why });
      else jobs.push({ name: line, command: withVariables(words.words), passCodes: [0] });
    }
  }
  return problems.length > 0 ? { ok: false, problems } : { ok: true, jobs };
}

/** `A=1 program` sets a variable for the program, which is what `env` is for. */
function withVariables(words: readonly string[]): Command {
  const [first = '', ...rest] = words;
  return /^[A-Za-z_][A-Za-z0-9_]*=/.test(first) ? ['env', first, ...rest] : [first, ...rest];
}
