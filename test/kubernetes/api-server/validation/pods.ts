/** Pods: what may be made, and the little that may change afterwards. */
import { copy, drop, equal, type Json } from '../json.js';
import {
  duplicate,
  forbiddenField,
  invalidValue,
  required,
  unsupported,
  type FieldError,
} from '../status.js';
import { oneOf } from './metadata.js';
import { dnsLabelProblem, labelKeyProblem, labelValueProblem, subdomainProblem } from './names.js';
import { quantity, quantityShape } from './quantities.js';

export function podSpecErrors(spec: Json, at: string): readonly FieldError[] {
  if (spec === undefined) return [required(`${at}.containers`)];
  const errors: FieldError[] = [];
  if ((spec.containers ?? []).length === 0) errors.push(required(`${at}.containers`));
  const names = new Set<string>();
  for (const list of ['initContainers', 'containers']) {
    for (const [index, container] of (spec[list] ?? []).entries()) {
      const here = `${at}.${list}[${index}]`;
      if (names.has(container.name)) errors.push(duplicate(`${here}.name`, container.name));
      names.add(container.name);
      errors.push(...containerErrors(container, here));
    }
  }
  if (spec.restartPolicy !== undefined) {
    errors.push(...oneOf(`${at}.restartPolicy`, spec.restartPolicy, ['Always', 'OnFailure', 'Never']));
  }
  for (const [key, value] of Object.entries(spec.nodeSelector ?? {})) {
    const problem = labelKeyProblem(key) ?? labelValueProblem(String(value));
    if (problem !== undefined) errors.push(invalidValue(`${at}.nodeSelector`, key, problem));
  }
  errors.push(
    ...(spec.tolerations ?? []).flatMap((one: Json, index: number) =>
      tolerationErrors(one, `${at}.tolerations[${index}]`),
    ),
  );
  if (spec.nodeName !== undefined && spec.nodeName !== '') {
    const problem = subdomainProblem(spec.nodeName);
    if (problem !== undefined) errors.push(invalidValue(`${at}.nodeName`, spec.nodeName, problem));
  }
  if (spec.terminationGracePeriodSeconds < 0) {
    errors.push(
      invalidValue(
        `${at}.terminationGracePeriodSeconds`,
        spec.terminationGracePeriodSeconds,
        'must be greater than or equal to 0',
      ),
    );
  }
  return errors;
}

function containerErrors(container: Json, at: string): readonly FieldError[] {
  const errors: FieldError[] = [];
  if (!container.name) errors.push(required(`${at}.name`));
  else {
    const problem = dnsLabelProblem(container.name);
    if (problem !== undefined) errors.push(invalidValue(`${at}.name`, container.name, problem));
  }
  if (!container.image) errors.push(required(`${at}.image`));
  const { requests = {}, limits = {} } = container.resources ?? {};
  errors.push(
    ...resourceErrors(limits, `${at}.resources.limits`),
    ...resourceErrors(requests, `${at}.resources.requests`),
  );
  for (const [name, asked] of Object.entries<string>(requests)) {
    const limit: string | undefined = limits[name];
    const field = `${at}.resources.requests`;
    if (isExtended(name) && limit === undefined) {
      errors.push(required(`${at}.resources.limits`, 'Limit must be set for non overcommitable resources'));
    } else if (limit !== undefined && isExtended(name) && quantity(asked) !== quantity(limit)) {
      errors.push(invalidValue(field, asked, `must be equal to ${name} limit of ${limit}`));
    } else if (limit !== undefined && quantity(asked) > quantity(limit)) {
      errors.push(invalidValue(field, asked, `must be less than or equal to ${name} limit of ${limit}`));
    }
  }
  return errors;
}

const standard = ['cpu', 'memory', 'ephemeral-storage', 'storage'];
const isExtended = (name: string): boolean => name.includes('/') && !name.startsWith('kubernetes.io/');

/** Names and amounts of `limits`, `requests`, `capacity` and `allocatable`. */
export function resourceErrors(list: Json, at: string): readonly FieldError[] {
  return Object.entries<string>(list ?? {}).flatMap(([name, text]) => {
    const errors: FieldError[] = [];
    const problem = labelKeyProblem(name);
    if (problem !== undefined) errors.push(invalidValue(at, name, problem));
    else if (
      !name.includes('/') &&
      !standard.includes(name) &&
      !name.startsWith('hugepages-') &&
      name !== 'pods'
    ) {
      errors.push(invalidValue(at, name, 'must be a standard resource type or fully qualified'));
    }
    const amount = quantity(text);
    if (Number.isNaN(amount)) errors.push(invalidValue(`${at}[${name}]`, text, quantityShape));
    else if (amount < 0)
      errors.push(invalidValue(`${at}[${name}]`, text, 'must be greater than or equal to 0'));
    else if (isExtended(name) && !Number.isInteger(amount))
      errors.push(invalidValue(`${at}[${name}]`, text, 'must be an integer'));
    return errors;
  });
}

function tolerationErrors(one: Json, at: string): readonly FieldError[] {
  const errors: FieldError[] = [];
  const operator = one.operator ?? 'Equal';
  if (!['Equal', 'Exists'].includes(operator))
    errors.push(unsupported(`${at}.operator`, operator, ['Equal', 'Exists']));
  if (operator === 'Exists' && one.value) {
    errors.push(invalidValue(`${at}.operator`, one.value, "value must be empty when `operator` is 'Exists'"));
  }
  if (!one.key && operator === 'Equal') {
    errors.push(
      invalidValue(
        `${at}.operator`,
        operator,
        'operator must be Exists when `key` is empty, which means "match all values and all keys"',
      ),
    );
  }
  if (one.key) {
    const problem = labelKeyProblem(one.key);
    if (problem !== undefined) errors.push(invalidValue(`${at}.key`, one.key, problem));
  }
  if (one.effect)
    errors.push(...oneOf(`${at}.effect`, one.effect, ['NoSchedule', 'PreferNoSchedule', 'NoExecute']));
  return errors;
}

/** A pod keeps its spec but for images, a deadline, new tolerations and scheduling gates that go. */
export function podChangeErrors(old: Json, next: Json): readonly FieldError[] {
  const errors: FieldError[] = [];
  const blank = (spec: Json): Json => {
    const left = copy(spec);
    for (const field of ['activeDeadlineSeconds', 'tolerations', 'schedulingGates']) drop(left, field);
    for (const list of ['containers', 'initContainers']) {
      for (const container of left[list] ?? []) drop(container, 'image');
    }
    return left;
  };
  const kept = (old.spec.tolerations ?? []).every((one: Json) =>
    (next.spec.tolerations ?? []).some((other: Json) =>
      equal({ ...one, tolerationSeconds: 0 }, { ...other, tolerationSeconds: 0 }),
    ),
  );
  if (!kept)
    errors.push(
      forbiddenField(
        'spec.tolerations',
        'existing toleration can not be modified except its tolerationSeconds',
      ),
    );
  const gates = (old.spec.schedulingGates ?? []).map((gate: Json) => gate.name);
  if ((next.spec.schedulingGates ?? []).some((gate: Json) => !gates.includes(gate.name))) {
    errors.push(
      forbiddenField('spec.schedulingGates', 'only deletion is allowed, but found new scheduling gate'),
    );
  }
  if (!equal(blank(old.spec), blank(next.spec))) {
    errors.push(
      forbiddenField(
        'spec',
        'pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)',
      ),
    );
  }
  return errors;
}
