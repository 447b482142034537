/** get, list and watch: what is sent, and in which form. */
import type { ServerResponse } from 'node:http';
import type { Answer, Api, Call } from './api.js';
import { without, type Json } from './json.js';
import { list, parseVersion, type Page } from './lists.js';
import { acceptedForm } from './requests.js';
import type { Fault } from './faults.js';
import { groupVersion, storedAs, type Resource } from './resources.js';
import { bothMatch, fieldMatcher, labelMatcher, type Matcher } from './selectors.js';
import { forbiddenField, invalidOptions, notAcceptable } from './status.js';
import { partial, table } from './tables.js';
import type { Place } from './registry.js';

export function readOne(api: Api, place: Place, call: Call): Answer {
  if (place.resource.plural === 'poddisruptionbudgets') api.budgets.refresh(place.namespace);
  const stored = api.registry.get(place);
  return {
    code: 200,
    object: inForm(api, place.resource, api.registry.shown(place.resource, stored.object), call),
  };
}

/** One object as a table or as metadata alone, where the client asks for that. */
export function inForm(api: Api, resource: Resource, object: Json, call: Call): Json {
  switch (acceptedForm(call.accept)) {
    case 'table':
      return table(
        resource,
        [object],
        call.query.get('includeObject') ?? 'Metadata',
        api.options.now().getTime(),
        {
          resourceVersion: object.metadata.resourceVersion,
        },
      );
    case 'partial':
      return partial(object);
    case 'plain':
      return object;
    case 'discovery':
      throw notAcceptable(['application/json']);
  }
}

export function selection(resource: Resource, call: Call, name: string): Matcher | undefined {
  const asked = bothMatch(
    labelMatcher(call.query.get('labelSelector') ?? ''),
    fieldMatcher(call.query.get('fieldSelector') ?? '', resource),
  );
  return name === '' ? asked : bothMatch(asked, (object) => object.metadata.name === name);
}

export async function sendList(
  api: Api,
  { resource, namespace, name }: Place,
  call: Call,
  response: ServerResponse,
): Promise<void> {
  if (resource.plural === 'poddisruptionbudgets' && namespace !== '') api.budgets.refresh(namespace);
  const form = acceptedForm(call.accept);
  const page = list(api.store, {
    where: storedAs(resource),
    namespace,
    match: selection(resource, call, name),
    query: call.query,
  });
  const metadata = {
    resourceVersion: String(page.version),
    ...(page.continue === '' ? {} : { continue: page.continue }),
    ...(page.remaining === undefined ? {} : { remainingItemCount: page.remaining }),
  };
  response.writeHead(200, { 'Content-Type': 'application/json' });
  const objects = (): readonly Json[] => page.items.map(({ object }) => api.registry.shown(resource, object));
  if (form === 'table') {
    const include = call.query.get('includeObject') ?? 'Metadata';
    response.end(JSON.stringify(table(resource, objects(), include, api.options.now().getTime(), metadata)));
  } else if (form === 'partial') {
    const items = objects().map(partial);
    response.end(
      JSON.stringify({ kind: 'PartialObjectMetadataList', apiVersion: 'meta.k8s.io/v1', metadata, items }),
    );
  } else {
    await sendItems(api, resource, page, metadata, response);
  }
}

/** Page by page, so that a long list does not keep everybody else waiting. */
async function sendItems(
  api: Api,
  resource: Resource,
  page: Page,
  metadata: Json,
  response: ServerResponse,
): Promise<void> {
  const head = JSON.stringify({ kind: resource.listKind, apiVersion: groupVersion(resource), metadata });
  response.write(`${head.slice(0, -1)},"items":[`);
  const write = (index: number): string => {
    const stored = page.items[index]!;
    const shown = api.registry.shown(resource, stored.object);
    if (resource.custom === undefined) {
      return shown === stored.object ? stored.bare : JSON.stringify(without(shown, 'apiVersion', 'kind'));
    }
    return shown === stored.object ? stored.json : JSON.stringify(shown);
  };
  const step = 500;
  for (let start = 0; start < page.items.length; start += step) {
    const end = Math.min(start + step, page.items.length);
    const texts: string[] = [];
    for (let index = start; index < end; index += 1) texts.push(write(index));
    const more = response.write(`${start === 0 ? '' : ','}${texts.join(',')}`);
    if (end === page.items.length) break;
    if (response.destroyed) return;
    if (more) await new Promise(setImmediate);
    else await drained(response);
  }
  response.end(']}');
}

function drained(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const go = (): void => {
      response.off('drain', go).off('close', go);
      resolve();
    };
    response.on('drain', go).on('close', go);
  });
}

export function startWatch(
  api: Api,
  place: Place,
  call: Call,
  fault: Fault | undefined,
  response: ServerResponse,
): void {
  const { resource, namespace, name } = place;
  const { query } = call;
  const text = query.get('resourceVersion') ?? '';
  const from = parseVersion(text);
  const initial = query.get('sendInitialEvents');
  const match = query.get('resourceVersionMatch') ?? '';
  const bookmarks = query.get('allowWatchBookmarks') === 'true';
  if (initial !== null && !api.options.watchList) {
    throw invalidOptions(
      'ListOptions',
      forbiddenField(
        'sendInitialEvents',
        'sendInitialEvents is forbidden for watch unless the WatchList feature gate is enabled',
      ),
    );
  }
  if (initial === null && match !== '') {
    throw invalidOptions(
      'ListOptions',
      forbiddenField(
        'resourceVersionMatch',
        'resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided',
      ),
    );
  }
  if (initial !== null && match !== 'NotOlderThan') {
    throw invalidOptions(
      'ListOptions',
      forbiddenField(
        'resourceVersionMatch',
        'sendInitialEvents requires setting resourceVersionMatch to NotOlderThan',
      ),
    );
  }
  const withObjects = initial === 'true' || (initial === null && from === 0);
  const seconds = Number(query.get('timeoutSeconds') ?? 0);
  const form = acceptedForm(call.accept);
  const cut =
    fault?.kind === 'watch-cut' || fault?.kind === 'watch-gone'
      ? { after: fault.afterEvents, gone: fault.kind === 'watch-gone' }
      : undefined;
  api.watches.start(
    {
      where: storedAs(resource),
      namespace,
      match: selection(resource, call, name),
      from: initial === 'false' && from === 0 ? api.store.version : from,
      withObjects,
      initialBookmark: initial === 'true',
      bookmarks,
      timeoutMs: (seconds > 0 ? seconds : 1800) * 1000,
      form: watchForm(api, resource, form, query.get('includeObject') ?? 'Metadata'),
      kind:
        form === 'partial'
          ? { apiVersion: 'meta.k8s.io/v1', kind: 'PartialObjectMetadata' }
          : { apiVersion: groupVersion(resource), kind: resource.kind },
      cut,
    },
    response,
  );
}

function watchForm(
  api: Api,
  resource: Resource,
  form: string,
  include: string,
): { name: string; write: (object: Json, json: () => string) => string } {
  const name = `${form} ${groupVersion(resource)} ${include}`;
  const write = (object: Json, json: () => string): string => {
    const shown = api.registry.shown(resource, object);
    if (form === 'table')
      return JSON.stringify(table(resource, [shown], include, api.options.now().getTime(), {}));
    if (form === 'partial') return JSON.stringify(partial(shown));
    return shown === object ? json() : JSON.stringify(shown);
  };
  return { name, write };
}
