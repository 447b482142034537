/** One kubeconfig file -> what it names. Paths in it are relative to its own folder. */
import { dirname, resolve, sep } from 'node:path';
import { parseAllDocuments } from 'yaml';
import type { z } from 'zod';
import { MicaError } from '#core/errors';
import {
  kubeconfigShape,
  type ClusterFields,
  type ContextFields,
  type UserFields,
} from './kubeconfig-shape.js';
import { mostBytesOfFile, readBounded } from './read-bounded.js';

export interface Kubeconfig {
  readonly currentContext: string;
  readonly clusters: ReadonlyMap<string, ClusterFields>;
  readonly users: ReadonlyMap<string, UserFields>;
  readonly contexts: ReadonlyMap<string, ContextFields>;
}

/** Throws MicaError `unreadable-file` or `bad-document`; neither ever quotes what the file says, since it holds secrets. */
export function readKubeconfig(file: string): Kubeconfig {
  const shaped = kubeconfigShape.safeParse(documentOf(textOf(file), file));
  if (!shaped.success) throw notOne(file, problemOf(shaped.error.issues[0]));
  const { apiVersion, kind, clusters, users, contexts, 'current-context': currentContext } = shaped.data;
  if (!['', 'Config'].includes(kind) || !['', 'v1'].includes(apiVersion))
    throw notOne(file, `it is a ${kind || 'Config'} of ${apiVersion || 'v1'}`);
  const folder = dirname(file);
  const from = (path: string): string => (path === '' ? '' : resolve(folder, path));
  return {
    currentContext,
    clusters: unique(clusters, 'clusters', file, (cluster) => ({
      ...cluster,
      'certificate-authority': from(cluster['certificate-authority']),
    })),
    users: unique(users, 'users', file, (user) => ({
      ...user,
      tokenFile: from(user.tokenFile),
      'client-certificate': from(user['client-certificate']),
      'client-key': from(user['client-key']),
      ...(user.exec?.command.includes(sep) === true
        ? { exec: { ...user.exec, command: from(user.exec.command) } }
        : {}),
    })),
    contexts: unique(contexts, 'contexts', file, (context) => context),
  };
}

function notOne(file: string, why: string): MicaError {
  return new MicaError('bad-document', `${file} is not a kubeconfig${why === '' ? '' : `: ${why}`}.`, {
    next: 'Name the file that kubectl uses.',
  });
}

function textOf(file: string): string {
  let bytes: Buffer | null;
  try {
    bytes = readBounded(file);
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? String(cause);
    throw new MicaError('unreadable-file', `${file} cannot be read (${code}).`, { cause });
  }
  if (bytes === null) throw notOne(file, `it has more than ${mostBytesOfFile / 2 ** 20} MiB`);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw notOne(file, 'it is not UTF-8 text');
  }
}

/** Of several documents the first, as kubectl does. The last of equal keys wins, as in JSON. */
function documentOf(text: string, file: string): unknown {
  if (text.includes('\0')) throw notOne(file, 'it is not a text file');
  if (deepestBracket(text) > deepestNesting) throw notOne(file, 'it is nested too deeply');
  const { stackTraceLimit } = Error;
  // Garbage has a mistake in every character, and each would carry a stack trace that nobody reads.
  Error.stackTraceLimit = 0;
  try {
    const [first] = parseAllDocuments(text, {
      uniqueKeys: false,
      merge: true,
      prettyErrors: false,
      logLevel: 'error',
    });
    const mistake = first?.errors[0];
    if (mistake !== undefined) {
      const line = text.slice(0, mistake.pos[0]).split('\n').length;
      throw notOne(file, `line ${line} is no YAML`);
    }
    // An empty file is an empty kubeconfig.
    return (first?.toJS() as unknown) ?? {};
  } catch (cause) {
    if (cause instanceof MicaError) throw cause;
    throw notOne(file, 'its aliases or its depth are without end');
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}

const deepestNesting = 64;

/** How many brackets are open at once, those in quotes included: before the parser, which takes minutes to find it out. */
function deepestBracket(text: string): number {
  let open = 0;
  let deepest = 0;
  for (const [bracket] of text.matchAll(/[[\]{}]/g)) {
    open = Math.max(0, open + (bracket === '[' || bracket === '{' ? 1 : -1));
    deepest = Math.max(deepest, open);
  }
  return deepest;
}

const words: Readonly<Record<string, string>> = {
  string: 'text',
  boolean: 'true or false',
  array: 'a list',
  object: 'a map',
  record: 'a map',
};

function problemOf(issue: z.core.$ZodIssue | undefined): string {
  if (issue === undefined || issue.path.length === 0) return '';
  const place = issue.path
    .map((step) => (typeof step === 'number' ? `[${step}]` : `.${String(step)}`))
    .join('');
  const rule =
    issue.code === 'invalid_type' ? `must be ${words[issue.expected] ?? issue.expected}` : issue.message;
  return `${place.replace(/^\./, '')} ${rule}`;
}

/** Two of one name are refused, as by kubectl: which one is meant cannot be known. */
function unique<T>(
  pairs: readonly (readonly [string, T])[],
  list: string,
  file: string,
  resolved: (value: T) => T,
): ReadonlyMap<string, T> {
  const found = new Map<string, T>();
  for (const [name, value] of pairs) {
    if (found.has(name)) throw notOne(file, `${list} names "${name}" twice`);
    found.set(name, resolved(value));
  }
  return found;
}
