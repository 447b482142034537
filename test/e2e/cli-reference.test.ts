/** The reference pages say what the code does. After a wanted change: UPDATE_GOLDEN=1 npx vitest run test/e2e */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { errorCatalogue } from '#core/errors';
import { emitTargets } from '#engines/emit/emit';
import { configSchema, documentSchemas } from '#apps/cli/documents/schemas';
import { readDocuments } from '#apps/cli/documents/read-documents';
import { emitTargetNames } from '#apps/cli/options';
import { buildProgram } from '#apps/cli/program';
import { version } from '#apps/cli/version';
import { root } from '../tooling/clone.js';
import { runMica } from './run-mica.js';

function holdEqual(path: string, wanted: string): void {
  const file = join(root, path);
  if (process.env['UPDATE_GOLDEN'] !== undefined) writeFileSync(file, wanted);
  expect(readFileSync(file, 'utf8')).toBe(wanted);
}

function pageOf(path: string): string {
  return readFileSync(join(root, path), 'utf8');
}

it('docs/reference/cli.md is what --help says', () => {
  holdEqual('docs/reference/cli.md', describeCommands(buildProgram(() => Promise.resolve(), output)));
});

it('docs/reference/errors.md is the catalogue of errors', () => {
  holdEqual('docs/reference/errors.md', describeErrors());
});

it('the version is that of package.json', () => {
  expect(version).toBe((JSON.parse(pageOf('package.json')) as { version: string }).version);
});

it('--emit takes the targets that there are', () => {
  expect(emitTargetNames).toEqual(emitTargets);
});

describe('docs/reference/documents.md', () => {
  const page = pageOf('docs/reference/documents.md');

  it.each(Object.entries(documentSchemas))('lists every key of %s, and no other', (kind, schema) => {
    const [section = ''] = page.split(/^## /m).filter((one) => one.startsWith(`${kind}:`));
    expect(keysIn(section)).toEqual(keysOf(z.toJSONSchema(schema.shape.spec, { io: 'input' }), 'spec'));
  });

  it('lists every key of mica.yaml, and no other', () => {
    const [section = ''] = page.split(/^## /m).filter((one) => one.startsWith('mica.yaml:'));
    expect(keysIn(section)).toEqual(Object.keys(configSchema.shape));
  });

  it('names every kind', () => {
    for (const kind of Object.keys(documentSchemas)) expect(page).toContain(`\`${kind}\``);
  });
});

describe('the examples of the pages', () => {
  const examplesIn = (path: string): readonly string[] =>
    [...pageOf(path).matchAll(/^```yaml\n([^`]*)^```/gm)].map(([, text]) => text ?? '');

  it.each(['docs/reference/documents.md', 'docs/guides/first-plan.md'])('%s: can be read', (path) => {
    const answers = examplesIn(path).map((text) => readDocuments(text, path));
    expect(answers.length).toBeGreaterThan(0);
    expect(answers.filter((answer) => !answer.ok)).toEqual([]);
  });

  it('docs/guides/first-plan.md: prints what it shows', async () => {
    const path = 'docs/guides/first-plan.md';
    const folder = mkdtempSync(join(tmpdir(), 'mica-test-'));
    const [team = ''] = examplesIn(path);
    writeFileSync(join(folder, 'team.yaml'), team);
    const { stdout } = await runMica(['plan', '-f', join(folder, 'team.yaml')]);
    rmSync(folder, { recursive: true });
    const shown = pageOf(path).replace(
      /(\$ mica plan -f team\.yaml\n)[^`]*/,
      (_, command) => `${command}${stdout}`,
    );
    holdEqual(path, shown);
  });
});

/** The first cells of a section's tables, in their order. */
function keysIn(section: string): readonly string[] {
  return [...section.matchAll(/^\| `([^`]+)` \|/gm)].map(([, key]) => key ?? '');
}

type JsonSchema = z.core.JSONSchema.JSONSchema;

/** `spec.nodes[].name`, in the order of the schema. */
function keysOf(schema: JsonSchema, path: string): readonly string[] {
  if (schema.items !== undefined) return keysOf(schema.items as JsonSchema, `${path}[]`);
  return Object.entries(schema.properties ?? {}).flatMap(([key, inner]) => [
    `${path}.${key}`,
    ...keysOf(inner as JsonSchema, `${path}.${key}`),
  ]);
}

function describeErrors(): string {
  const rows = Object.entries(errorCatalogue).map(
    ([code, { exit, what, next }]) => `| \`${code}\` | ${exit} | ${what} | ${next} |`,
  );
  return [
    '# Errors',
    '',
    'A failure says what went wrong, what to do next, and its code, on standard error: never a stack trace (`MICA_DEBUG=1` adds one). With `--json` the same stands on standard output as `{"error":{"code","message","next"}}`. Exit code 2 is yours to mend, 3 is ours or the machine\'s. An answer that is "no" is not an error: it is printed like any answer, with its reason, and exits with 1.',
    '',
    '| code | exit | what | next |',
    '|---|---|---|---|',
    ...rows,
    '',
  ].join('\n');
}

function describeCommands(program: Command): string {
  return [
    '# Commands',
    '',
    'What `mica --help` and `mica COMMAND --help` say. Exit codes: 0 done or yes, 1 the answer is no, 2 wrong usage or input, 3 failure ([errors](errors.md)). `--json` prints the answer as JSON; remarks and errors go to standard error.',
    '',
    'Where an argument is MODEL, `--gpu MODEL` says the same.',
    '',
    ...leaves(program).flatMap((command) => [`## ${nameOf(command)}`, '', '```', helpOf(command), '```', '']),
  ].join('\n');
}

function leaves(command: Command): readonly Command[] {
  const own = command.commands.length === 0 || command.parent === null ? [command] : [];
  return [...own, ...command.commands.flatMap(leaves)];
}

function nameOf(command: Command): string {
  return command.parent === null ? command.name() : `${nameOf(command.parent)} ${command.name()}`;
}

/** With the examples, which commander adds only when it prints. */
function helpOf(command: Command): string {
  helpText = '';
  command.outputHelp();
  return helpText.trimEnd();
}

let helpText = '';
const output = { writeOut: (piece: string) => void (helpText += piece), getOutHelpWidth: () => 100 };
