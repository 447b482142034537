/** `mica lint`: what in manifests will not schedule on slices, or will disappoint. Exit 1: something is left that will. */
import { writeFile } from 'node:fs/promises';
import { nameOf } from '#adapters/files/read-text';
import { MicaError } from '#core/errors';
import type { Finding } from '#core/lint/finding';
import { lintDocument } from '#core/lint/lint';
import type { LintOptions, LintTarget } from '#core/lint/rule';
import { defaultHeadroom } from '#core/sizing/memory';
import { migModelNamed } from '../../arguments.js';
import type { AnswerExit, Context } from '../../command.js';
import { describePath, describeWhere, type Where } from '../../documents/problem.js';
import { readYaml, type SourceDocument } from '../../documents/yaml-source.js';
import { printJson } from '../../terminal/json.js';
import { sizingFrom } from '../../settings.js';
import { printable } from '../../terminal/screen.js';
import { auditedNeeds } from './audited-needs.js';
import { mended } from './mend.js';
import { manifestsIn, readManifests, type ManifestFile } from './read-manifests.js';

export interface LintFlags {
  readonly file: readonly string[];
  readonly target: LintTarget;
  readonly gpu?: readonly string[];
  readonly audit?: string;
  readonly headroom?: string;
  readonly fix?: boolean;
  readonly json?: boolean;
}

interface Found extends Finding {
  readonly where: Where;
  /** Of the document in its file. */
  readonly place: number;
  readonly isFixed: boolean;
}

export async function lintCommand(
  context: Context,
  _positional: readonly never[],
  flags: LintFlags,
): Promise<AnswerExit> {
  const files = await readManifests(flags.file);
  const options = await optionsOf(context, flags);
  const judged = files.map((file) => ({ file, findings: findingsIn(file, options) }));
  const results = flags.fix === true ? await fixed(context, judged, options) : judged;
  const findings = results.flatMap((one) => one.findings);
  const left = findings.filter(({ isFixed, severity }) => !isFixed && severity === 'error');
  if (context.json) printJson(context.screen, answerOf(findings, files));
  else if (flags.fix !== true || !flags.file.includes('-')) print(context, findings, files);
  else for (const one of findings) context.screen.note(line(one));
  return left.length > 0 ? 1 : 0;
}

async function optionsOf(
  { host }: Context,
  { target, gpu, audit, headroom }: LintFlags,
): Promise<LintOptions> {
  const sizing = await sizingFrom(headroom === undefined ? {} : { headroom }, host.env);
  return {
    target,
    cards: gpu === undefined ? null : gpu.map(migModelNamed),
    audited: audit === undefined ? [] : await auditedNeeds(audit),
    headroom: sizing.headroom ?? defaultHeadroom,
  };
}

function findingsIn(file: ManifestFile, options: LintOptions): readonly Found[] {
  return file.documents.flatMap((document, place) => [
    ...lintDocument(document.value, options).map((finding): Found => ({
      ...finding,
      ...{ place, isFixed: false, where: placeOf(document, finding) },
    })),
    ...configMapTexts(document).flatMap(({ key, text }) =>
      embedded(file, document, place, key, text, options),
    ),
  ]);
}

function placeOf(document: SourceDocument, { path }: Finding): Where {
  return typeof path.at(-1) === 'string' ? document.whereIsKey(path) : document.whereIs(path);
}

/** Configurations of the device plugin and of mig-manager are texts in ConfigMaps. */
function configMapTexts({
  value,
}: SourceDocument): readonly { readonly key: string; readonly text: string }[] {
  const { kind, data } = value as { readonly kind?: unknown; readonly data?: unknown };
  if (kind !== 'ConfigMap' || typeof data !== 'object' || data === null) return [];
  return Object.entries(data).flatMap(([key, text]) =>
    typeof text === 'string' && /^\s*(mig-configs|sharing|version):/m.test(text) ? [{ key, text }] : [],
  );
}

/** The lines of a block text follow the line of its key. */
function embedded(
  file: ManifestFile,
  document: SourceDocument,
  place: number,
  key: string,
  text: string,
  options: LintOptions,
): readonly Found[] {
  const inner = readYaml(text, nameOf(file.path));
  if (!inner.ok) return [];
  const { line: keyLine } = document.whereIsKey(['data', key]);
  const indent = /^ */.exec(file.text.split('\n')[keyLine] ?? '')?.[0].length ?? 0;
  return inner.documents.flatMap((one) =>
    lintDocument(one.value, options).map((finding): Found => {
      const { file: name, line: innerLine, column } = placeOf(one, finding);
      return {
        ...finding,
        ...{ place, isFixed: false, path: ['data', key, ...finding.path], edits: [] },
        where: { file: name, line: keyLine + innerLine, column: column + indent },
      };
    }),
  );
}

interface Judged {
  readonly file: ManifestFile;
  readonly findings: readonly Found[];
}

async function fixed(
  { screen }: Context,
  judged: readonly Judged[],
  options: LintOptions,
): Promise<readonly Judged[]> {
  const results: Judged[] = [];
  for (const { file, findings } of judged) {
    const after = mendAll(file, options);
    if (file.path === '-') screen.write(after.text);
    else if (after.text !== file.text) await write(file.path, after.text);
    const done = findings.filter(({ edits }) => edits.length > 0);
    results.push({
      file,
      findings: [...done.map((one) => ({ ...one, isFixed: true })), ...findingsIn(after, options)],
    });
  }
  return results;
}

/** Edits of two findings may be about one line, so that each finding is mended in what the one before left. */
const mostEdits = 10_000;

function mendAll(file: ManifestFile, options: LintOptions): ManifestFile {
  let now = file;
  for (let count = 0; count < mostEdits; count += 1) {
    const next = findingsIn(now, options).find(({ edits }) => edits.length > 0);
    if (next === undefined) return now;
    now = manifestsIn(file.path, mended(now.text, next.place, next.edits));
  }
  throw new RangeError(`mending ${file.path} does not come to an end`);
}

async function write(path: string, text: string): Promise<void> {
  await writeFile(path, text).catch((error: unknown) => {
    const why = error instanceof Error ? error.message : String(error);
    throw new MicaError('unwritable-folder', `${path} cannot be written: ${why}`, { cause: error });
  });
}

function answerOf(findings: readonly Found[], files: readonly ManifestFile[]) {
  return {
    ok: !findings.some(({ isFixed, severity }) => !isFixed && severity === 'error'),
    files: files.length,
    findings: findings.map(({ rule, severity, where, path, message, fix, edits, isFixed }) => ({
      ...{ rule, severity, ...where, path: describePath(path), message, fix },
      fixable: edits.length > 0,
      fixed: isFixed,
    })),
  };
}

function line({ where, severity, rule, message, isFixed }: Found): string {
  return `${describeWhere(where)} ${isFixed ? 'fixed' : severity} ${rule}: ${message}`;
}

function print({ screen }: Context, findings: readonly Found[], files: readonly ManifestFile[]): void {
  const { red, yellow, green, bold, dim } = screen.style;
  const say = { error: red, warning: yellow };
  for (const { where, severity, rule, message, fix, edits, isFixed } of findings) {
    const verdict = isFixed ? green('fixed') : say[severity](severity);
    const how = edits.length > 0 && !isFixed ? dim(' (--fix does it)') : '';
    screen.print(
      `${bold(printable(describeWhere(where)))}  ${verdict}  ${printable(message)} ${dim(`[${rule}]`)}`,
    );
    if (!isFixed) screen.print(`  ${printable(fix)}${how}`);
  }
  const count = (wanted: (one: Found) => boolean): number => findings.filter(wanted).length;
  const errors = count(({ severity, isFixed }) => severity === 'error' && !isFixed);
  const warnings = count(({ severity, isFixed }) => severity === 'warning' && !isFixed);
  const mendedCount = count(({ isFixed }) => isFixed);
  const documents = files.reduce((sum, file) => sum + file.documents.length, 0);
  const parts = [
    `${documents} documents in ${files.length} ${files.length === 1 ? 'file' : 'files'}`,
    `${errors} ${errors === 1 ? 'error' : 'errors'}`,
    `${warnings} ${warnings === 1 ? 'warning' : 'warnings'}`,
    ...(mendedCount === 0 ? [] : [`${mendedCount} fixed`]),
  ];
  screen.print(parts.join(', '));
}
