/** Lists: by selectors and pages, each page of one version, and the tokens that go from page to page. */
import {
  badRequest,
  expired,
  invalidOptions,
  tooLargeVersion,
  forbiddenField,
  invalidValue,
} from './status.js';
import type { Matcher } from './selectors.js';
import type { Store, Stored } from './store.js';

export interface ListRequest {
  readonly where: string;
  readonly namespace: string;
  readonly match: Matcher | undefined;
  readonly query: URLSearchParams;
}

export interface Page {
  readonly items: readonly Stored[];
  readonly version: number;
  readonly continue: string;
  readonly remaining: number | undefined;
}

const tooOld =
  'The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided token results in an inconsistent list - objects that were created, modified, or deleted between the time the first chunk was returned and now may show up in the list.';

export function parseVersion(text: string, kind = 'ListOptions'): number {
  if (!/^\d*$/.test(text)) {
    throw invalidOptions(
      kind,
      invalidValue(
        'resourceVersion',
        text,
        `strconv.ParseUint: parsing ${JSON.stringify(text)}: invalid syntax`,
      ),
    );
  }
  return text === '' ? 0 : Number(text);
}

export function list(store: Store, { where, namespace, match, query }: ListRequest): Page {
  const limit = Number(query.get('limit') ?? 0);
  const token = query.get('continue') ?? '';
  const { version, after } = token === '' ? startOf(store, query) : resume(store, token, query);
  const prefix = namespace === '' ? '' : `${namespace}/`;
  const candidates = store.snapshot(where, prefix, version, after);
  if (limit <= 0) {
    const items = match === undefined ? candidates : candidates.filter(({ object }) => match(object));
    return { items, version, continue: '', remaining: undefined };
  }
  const items: Stored[] = [];
  for (const [index, candidate] of candidates.entries()) {
    if (match !== undefined && !match(candidate.object)) continue;
    if (items.length === limit) {
      const rest = match === undefined ? candidates.length - index : undefined;
      return { items, version, continue: tokenOf(version, items.at(-1)?.key ?? ''), remaining: rest };
    }
    items.push(candidate);
  }
  return { items, version, continue: '', remaining: undefined };
}

function startOf(store: Store, query: URLSearchParams): { version: number; after: string } {
  const text = query.get('resourceVersion') ?? '';
  const asked = parseVersion(text);
  const match = query.get('resourceVersionMatch') ?? '';
  if (match !== '' && text === '') {
    throw invalidOptions(
      'ListOptions',
      forbiddenField(
        'resourceVersionMatch',
        'resourceVersionMatch is forbidden unless resourceVersion is provided',
      ),
    );
  }
  if (match === 'Exact' && asked === 0) {
    throw invalidOptions(
      'ListOptions',
      forbiddenField(
        'resourceVersionMatch',
        'resourceVersionMatch "Exact" is forbidden for resourceVersion "0"',
      ),
    );
  }
  if (asked > store.version) throw tooLargeVersion(asked, store.version);
  // A limit with a version and no match is an exact list as well, as older clients rely on.
  const exact = match === 'Exact' || (match === '' && asked > 0 && Number(query.get('limit') ?? 0) > 0);
  return { version: exact ? asked : store.version, after: '' };
}

const tokenOf = (version: number, after: string): string =>
  Buffer.from(JSON.stringify({ v: 'meta.k8s.io/v1', rv: version, start: `${after}\u0000` })).toString(
    'base64url',
  );

function resume(store: Store, token: string, query: URLSearchParams): { version: number; after: string } {
  if ((query.get('resourceVersion') ?? '') !== '' && query.get('resourceVersion') !== '0') {
    throw badRequest('specifying resource version is not allowed when using continue');
  }
  const { version, after } = readToken(token);
  if (version === -1) return { version: store.version, after };
  if (version < store.compacted) throw expired(tooOld, tokenOf(-1, after));
  return { version, after };
}

function readToken(token: string): { version: number; after: string } {
  try {
    const { rv, start } = JSON.parse(Buffer.from(token, 'base64url').toString());
    return { version: rv, after: start.replace('\u0000', '') };
  } catch {
    throw badRequest(`continue key is not valid: ${token}`);
  }
}
