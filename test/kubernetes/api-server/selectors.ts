/** Label and field selectors: those of the query string, and the LabelSelector of an object. */
import type { Json } from './json.js';
import { badRequest } from './status.js';
import type { Resource } from './resources.js';
import { labelKeyProblem, labelValueProblem } from './validation/names.js';

export type Matcher = (object: Json) => boolean;

interface Requirement {
  readonly key: string;
  readonly operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist';
  readonly values: readonly string[];
}

export function labelMatcher(text: string): Matcher | undefined {
  if (text.trim() === '') return undefined;
  const requirements = splitOutsideBrackets(text).map(requirement);
  return (object) => requirements.every((one) => holds(one, object.metadata.labels ?? {}));
}

/** `a=b,c in (d,e),!f` has three parts. */
function splitOutsideBrackets(text: string): readonly string[] {
  return text.split(/,(?![^(]*\))/).map((part) => part.trim());
}

function requirement(text: string): Requirement {
  const unparsable = (): never => {
    throw badRequest(`unable to parse requirement: found '${text}', expected: a label selector`);
  };
  const set = /^(\S+)\s+(in|notin)\s+\(([^()]*)\)$/.exec(text);
  const pair = /^([^\s=!]+)\s*(==|=|!=)\s*(\S*)$/.exec(text);
  const bare = /^(!?)\s*([^\s=!]+)$/.exec(text);
  const found: Requirement =
    set !== null
      ? {
          key: set[1] ?? '',
          operator: set[2] === 'in' ? 'In' : 'NotIn',
          values: (set[3] ?? '').split(',').map((value) => value.trim()),
        }
      : pair !== null
        ? { key: pair[1] ?? '', operator: pair[2] === '!=' ? 'NotIn' : 'In', values: [pair[3] ?? ''] }
        : bare !== null
          ? { key: bare[2] ?? '', operator: bare[1] === '!' ? 'DoesNotExist' : 'Exists', values: [] }
          : unparsable();
  const problem =
    labelKeyProblem(found.key) ?? found.values.map(labelValueProblem).find((one) => one !== undefined);
  if (problem !== undefined)
    throw badRequest(`unable to parse requirement: ${JSON.stringify(text)}: ${problem}`);
  return found;
}

function holds({ key, operator, values }: Requirement, labels: Json): boolean {
  const value: string | undefined = labels[key];
  switch (operator) {
    case 'Exists':
      return value !== undefined;
    case 'DoesNotExist':
      return value === undefined;
    case 'In':
      return value !== undefined && values.includes(value);
    case 'NotIn':
      return value === undefined || !values.includes(value);
  }
}

/** The LabelSelector of a budget or a deployment; an empty one selects everything, a missing one nothing. */
export function selects(selector: Json, labels: Json): boolean {
  if (selector === undefined || selector === null) return false;
  const pairs = Object.entries(selector.matchLabels ?? {}).map(([key, value]): Requirement => {
    return { key, operator: 'In', values: [value as string] };
  });
  const expressions: readonly Requirement[] = (selector.matchExpressions ?? []).map((one: Json) => ({
    key: one.key,
    operator: one.operator,
    values: one.values ?? [],
  }));
  return [...pairs, ...expressions].every((one) => holds(one, labels ?? {}));
}

/** Fields beyond metadata.name and metadata.namespace that a list can be filtered by. */
const fieldsOf: Readonly<Record<string, readonly string[]>> = {
  pods: [
    'spec.nodeName',
    'spec.restartPolicy',
    'spec.schedulerName',
    'spec.serviceAccountName',
    'spec.hostNetwork',
    'status.phase',
    'status.podIP',
    'status.nominatedNodeName',
  ],
  nodes: ['spec.unschedulable'],
  events: [
    ...['kind', 'namespace', 'name', 'uid', 'apiVersion', 'resourceVersion', 'fieldPath'].map(
      (name) => `involvedObject.${name}`,
    ),
    'reason',
    'reportingComponent',
    'source',
    'type',
  ],
  namespaces: ['status.phase'],
  secrets: ['type'],
  replicasets: ['status.replicas'],
  jobs: ['status.successful'],
  resourceslices: ['spec.nodeName', 'spec.driver'],
};

export function fieldMatcher(text: string, resource: Resource): Matcher | undefined {
  if (text.trim() === '') return undefined;
  const extra = resource.custom?.selectableFields ?? fieldsOf[resource.plural] ?? [];
  const terms = text.split(',').map((part) => {
    const found = /^([^=!]+)(==|=|!=)(.*)$/.exec(part.trim());
    if (found === null) throw badRequest(`invalid selector: '${part}'; can't understand '${part}'`);
    const field = (found[1] ?? '').replace(/^regarding\./, 'involvedObject.');
    const allowed =
      field === 'metadata.name' ||
      (field === 'metadata.namespace' && resource.namespaced) ||
      extra.includes(field);
    if (!allowed) throw badRequest(`field label not supported: ${found[1] ?? ''}`);
    return {
      path: field === 'source' ? ['source', 'component'] : field.split('.'),
      wanted: found[3] ?? '',
      not: found[2] === '!=',
    };
  });
  return (object) =>
    terms.every(({ path, wanted, not }) => {
      let value = object;
      for (const key of path) value = value?.[key];
      const seen =
        value === undefined
          ? path.at(-1) === 'unschedulable' || path.at(-1) === 'hostNetwork'
            ? 'false'
            : ''
          : String(value);
      return (seen === wanted) !== not;
    });
}

export function bothMatch(one: Matcher | undefined, other: Matcher | undefined): Matcher | undefined {
  if (one === undefined || other === undefined) return one ?? other;
  return (object) => one(object) && other(object);
}
