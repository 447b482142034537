/**
 * Every check that must hold before a change lands. Prints one line per check, the whole output of what failed, the
 * suites that were skipped and why, and last `N passed, N failed`. Names as arguments run only those checks.
 */
import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { root } from './install.mjs';
import { summarize } from './test-results.mjs';

const reports = join(root, 'out');
const testReport = join(reports, 'tests.json');

// Longest first: they run side by side, as many as there are cores.
const staticChecks = {
  eslint: ['eslint', '--max-warnings=0', '.'],
  types: ['tsc', '-p', '.'],
  'core-types': ['tsc', '-p', 'src/core'],
  floors: ['depcruise', 'src', '--config', '.dependency-cruiser.mjs'],
  // The build's settings tell knip that dist/ is made from src/, so that an old build never stands for a source.
  'dead-code': ['knip', '--tsConfig', 'tsconfig.build.json'],
  format: ['prettier', '--check', '--log-level=warn', '.'],
};
// After the others and alone: some tests measure time.
const tests = [
  'vitest',
  'run',
  '--allowOnly=false',
  '--reporter=dot',
  '--reporter=json',
  `--outputFile=${testReport}`,
];

const chosen = process.argv.slice(2);
const isChosen = (name) => chosen.length === 0 || chosen.includes(name);

const unknown = chosen.filter((name) => name !== 'tests' && !(name in staticChecks));
if (unknown.length > 0) {
  process.stderr.write(
    `No check is called ${unknown.join(', ')}: ${Object.keys(staticChecks).join(', ')}, tests.\n`,
  );
  process.exit(2);
}

mkdirSync(reports, { recursive: true });
const total = { passed: 0, failed: 0, skipped: 0 };

const queue = Object.entries(staticChecks).filter(([name]) => isChosen(name));
await Promise.all(Array.from({ length: availableParallelism() }, runQueue));
if (isChosen('tests')) await runTests();

const summary =
  `${total.passed} passed, ${total.failed} failed` + (total.skipped > 0 ? `, ${total.skipped} skipped` : '');
writeFileSync(join(reports, 'summary.txt'), `${summary}\n`);
process.stdout.write(`${summary}\n`);
process.exitCode = total.failed > 0 ? 1 : 0;

async function runQueue() {
  for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
    const [name, command] = next;
    const { ok, output, seconds } = await run(command, 'pipe');
    total[ok ? 'passed' : 'failed'] += 1;
    report(ok, name, seconds, ok ? '' : `$ ${command.join(' ')}\n${output.trimEnd()}\n`);
  }
}

async function runTests() {
  rmSync(testReport, { force: true });
  const { ok, seconds } = await run(tests, 'inherit');
  const results = summarize(readReport(), ok);
  for (const key of Object.keys(total)) total[key] += results[key];
  report(results.failed === 0, 'tests', seconds, results.notes.join(''));
}

function readReport() {
  try {
    return JSON.parse(readFileSync(testReport, 'utf8'));
  } catch {
    return undefined;
  }
}

function report(ok, name, seconds, details) {
  process.stdout.write(
    `${ok ? 'ok    ' : 'FAILED'} ${name.padEnd(11)} ${seconds.toFixed(1).padStart(5)} s\n${details}`,
  );
}

function run([tool, ...args], output) {
  const started = performance.now();
  return new Promise((resolve) => {
    const child = spawn(join(root, 'node_modules/.bin', tool), args, {
      cwd: root,
      stdio: ['ignore', output, output],
    });
    let text = '';
    child.stdout?.on('data', (chunk) => (text += chunk));
    child.stderr?.on('data', (chunk) => (text += chunk));
    const end = (ok) => resolve({ ok, output: text, seconds: (performance.now() - started) / 1000 });
    child.on('error', (error) => {
      text += error.message;
      end(false);
    });
    child.on('close', (code) => end(code === 0));
  });
}
