/** What each built-in kind refuses beyond its field types: only the rules that a controller of GPU slices can meet. */
import { equal, type Json } from '../json.js';
import { duplicate, forbiddenField, invalidValue, required, type FieldError } from '../status.js';
import { selects } from '../selectors.js';
import { immutable, labelErrors, oneOf } from './metadata.js';
import { labelKeyProblem, labelValueProblem, subdomainProblem } from './names.js';
import { podChangeErrors, podSpecErrors, resourceErrors } from './pods.js';
import { quantity, quantityShape } from './quantities.js';

type Rule = (object: Json) => readonly FieldError[];
type ChangeRule = (old: Json, next: Json) => readonly FieldError[];

const needs =
  (...fields: readonly string[]): Rule =>
  (object) =>
    fields
      .filter((field) => reach(object, field) === undefined || reach(object, field) === '')
      .map((field) => required(field));
const reach = (object: Json, field: string): Json =>
  field.split('.').reduce((at: Json, key) => at?.[key], object);
const fixed =
  (...fields: readonly string[]): ChangeRule =>
  (old, next) =>
    fields.flatMap((field) => immutable(old, next, field));
const all =
  (...rules: readonly Rule[]): Rule =>
  (object) =>
    rules.flatMap((rule) => rule(object));

const node: Rule = (object) => {
  const seen = new Set<string>();
  const taints = (object.spec?.taints ?? []).flatMap((taint: Json, index: number) => {
    const at = `metadata.taints[${index}]`;
    const errors: FieldError[] = [];
    const keyProblem = labelKeyProblem(taint.key ?? '');
    const valueProblem = labelValueProblem(taint.value ?? '');
    if (keyProblem !== undefined) errors.push(invalidValue(`${at}.key`, taint.key ?? '', keyProblem));
    if (valueProblem !== undefined) errors.push(invalidValue(`${at}.value`, taint.value, valueProblem));
    errors.push(...oneOf(`${at}.effect`, taint.effect, ['NoSchedule', 'PreferNoSchedule', 'NoExecute']));
    const identity = `${String(taint.key)}:${String(taint.effect)}`;
    if (seen.has(identity))
      errors.push({
        ...duplicate(at, taint),
        message: 'Duplicate value: taints must be unique by key and effect pair',
      });
    seen.add(identity);
    return errors;
  });
  return [
    ...taints,
    ...resourceErrors(object.status?.capacity, 'status.capacity'),
    ...resourceErrors(object.status?.allocatable, 'status.allocatable'),
  ];
};

const nodeChange: ChangeRule = (old, next) => [
  ...(old.spec?.providerID ? providerChange(old, next) : []),
  ...(old.spec?.podCIDR ? fixed('spec.podCIDR')(old, next) : []),
];
const providerChange: ChangeRule = (old, next) =>
  old.spec.providerID === next.spec?.providerID
    ? []
    : [forbiddenField('spec.providerID', 'node updates may not change providerID except from "" to valid')];

const workload: Rule = (object) => {
  const { spec = {} } = object;
  const errors: FieldError[] = [];
  const selector = spec.selector;
  if (selector === undefined) errors.push(required('spec.selector'));
  else if (Object.keys(selector).length === 0) {
    errors.push(invalidValue('spec.selector', selector, 'empty selector is invalid for deployment'));
  } else if (!selects(selector, spec.template?.metadata?.labels)) {
    errors.push(
      invalidValue(
        'spec.template.metadata.labels',
        spec.template?.metadata?.labels ?? null,
        '`selector` does not match template `labels`',
      ),
    );
  }
  if (spec.replicas < 0)
    errors.push(invalidValue('spec.replicas', spec.replicas, 'must be greater than or equal to 0'));
  errors.push(...labelErrors(spec.template?.metadata?.labels, 'spec.template.metadata.labels'));
  errors.push(...podSpecErrors(spec.template?.spec, 'spec.template.spec'));
  const policy = spec.template?.spec?.restartPolicy ?? 'Always';
  if (policy !== 'Always') errors.push(...oneOf('spec.template.spec.restartPolicy', policy, ['Always']));
  return errors;
};

const jobSpec = (spec: Json, at: string): readonly FieldError[] => [
  ...podSpecErrors(spec?.template?.spec, `${at}.template.spec`),
  ...(spec?.template?.spec?.restartPolicy === 'Always' || spec?.template?.spec?.restartPolicy === undefined
    ? [
        {
          ...required(`${at}.template.spec.restartPolicy`, 'valid values: "OnFailure", "Never"'),
        },
      ]
    : []),
  ...['parallelism', 'completions', 'backoffLimit', 'ttlSecondsAfterFinished']
    .filter((field) => spec?.[field] < 0)
    .map((field) => invalidValue(`${at}.${field}`, spec[field], 'must be greater than or equal to 0')),
];

const percent = /^\d+%$/;
const budget: Rule = ({ spec = {} }) => {
  const errors: FieldError[] = [];
  if (spec.minAvailable !== undefined && spec.maxUnavailable !== undefined) {
    errors.push(invalidValue('spec', spec, 'minAvailable and maxUnavailable cannot be both set'));
  }
  for (const field of ['minAvailable', 'maxUnavailable']) {
    const value = spec[field];
    if (typeof value === 'number' && value < 0) {
      errors.push(invalidValue(`spec.${field}`, value, 'must be greater than or equal to 0'));
    } else if (typeof value === 'string' && !percent.test(value)) {
      errors.push(
        invalidValue(
          `spec.${field}`,
          value,
          "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')",
        ),
      );
    } else if (typeof value === 'string' && Number.parseInt(value) > 100) {
      errors.push(invalidValue(`spec.${field}`, value, 'must not be greater than 100%'));
    }
  }
  if (spec.unhealthyPodEvictionPolicy !== undefined) {
    errors.push(
      ...oneOf('spec.unhealthyPodEvictionPolicy', spec.unhealthyPodEvictionPolicy, [
        'AlwaysAllow',
        'IfHealthyBudget',
      ]),
    );
  }
  return errors;
};

const lease: Rule = ({ spec = {} }) => [
  ...(spec.leaseDurationSeconds <= 0
    ? [invalidValue('spec.leaseDurationSeconds', spec.leaseDurationSeconds, 'must be greater than 0')]
    : []),
  ...(spec.leaseTransitions < 0
    ? [invalidValue('spec.leaseTransitions', spec.leaseTransitions, 'must be greater than or equal to 0')]
    : []),
];

const data: Rule = (object) =>
  ['data', 'binaryData', 'stringData'].flatMap((field) =>
    Object.keys(object[field] ?? {})
      .filter(
        (key) => !/^[-._a-zA-Z0-9]+$/.test(key) || key.length > 253 || key === '.' || key.startsWith('..'),
      )
      .map((key) =>
        invalidValue(
          `${field}[${key}]`,
          key,
          "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')",
        ),
      ),
  );
const dataChange: ChangeRule = (old, next) =>
  old.immutable === true &&
  (!equal(old.data, next.data) || !equal(old.binaryData, next.binaryData) || next.immutable !== true)
    ? [forbiddenField('data', 'field is immutable when `immutable` is set')]
    : [];

const event: Rule = ({ metadata, involvedObject }) =>
  (involvedObject?.namespace ?? '') !== '' && involvedObject.namespace !== metadata.namespace
    ? [invalidValue('involvedObject.namespace', involvedObject.namespace, 'does not match event.namespace')]
    : (involvedObject?.namespace ?? '') === '' && metadata.namespace !== 'default'
      ? [invalidValue('involvedObject.namespace', '', 'does not match event.namespace')]
      : [];

const rules: Rule = ({ rules: list = [] }) =>
  list.flatMap((rule: Json, index: number) => [
    ...((rule.verbs ?? []).length === 0
      ? [required(`rules[${index}].verbs`, 'verbs must contain at least one value')]
      : []),
    ...(rule.nonResourceURLs === undefined && (rule.apiGroups ?? []).length === 0
      ? [required(`rules[${index}].apiGroups`, 'resource rules must supply at least one api group')]
      : []),
    ...(rule.nonResourceURLs === undefined && (rule.resources ?? []).length === 0
      ? [required(`rules[${index}].resources`, 'resource rules must supply at least one resource')]
      : []),
  ]);
const bindingChange: ChangeRule = (old, next) =>
  equal(old.roleRef, next.roleRef) ? [] : [invalidValue('roleRef', next.roleRef, 'cannot change roleRef')];

const quota: Rule = ({ spec = {} }) =>
  Object.entries<string>(spec.hard ?? {})
    .filter(([, text]) => Number.isNaN(quantity(text)))
    .map(([name, text]) => invalidValue(`spec.hard[${name}]`, text, quantityShape));

const slice: Rule = (object) => {
  const { spec = {} } = object;
  const where = [spec.nodeName, spec.nodeSelector, spec.allNodes, spec.perDeviceNodeSelection].filter(
    (one) => one !== undefined,
  );
  return [
    ...needs('spec.driver', 'spec.pool.name')(object),
    ...(where.length === 1
      ? []
      : [
          invalidValue(
            'spec',
            '{}',
            'exactly one of `nodeName`, `nodeSelector`, `allNodes`, `perDeviceNodeSelection` is required',
          ),
        ]),
    ...(spec.devices ?? []).flatMap((device: Json, index: number) => {
      const problem = subdomainProblem(device.name ?? '');
      return problem === undefined ? [] : [invalidValue(`spec.devices[${index}].name`, device.name, problem)];
    }),
  ];
};

const claimSpec =
  (at: string): Rule =>
  (object) =>
    (reach(object, at)?.devices?.requests ?? []).flatMap((request: Json, index: number) =>
      request.exactly === undefined && request.firstAvailable === undefined
        ? [
            required(
              `${at}.devices.requests[${index}]`,
              'exactly one of `exactly` or `firstAvailable` is required',
            ),
          ]
        : request.exactly !== undefined && !request.exactly.deviceClassName
          ? [required(`${at}.devices.requests[${index}].exactly.deviceClassName`)]
          : [],
    );

export const rulesOf: Readonly<Record<string, Rule>> = {
  Pod: ({ spec }) => podSpecErrors(spec, 'spec'),
  Node: node,
  Deployment: workload,
  ReplicaSet: workload,
  StatefulSet: workload,
  DaemonSet: workload,
  Job: ({ spec }) => jobSpec(spec, 'spec'),
  CronJob: all(needs('spec.schedule'), ({ spec }) =>
    jobSpec(spec?.jobTemplate?.spec, 'spec.jobTemplate.spec'),
  ),
  PodDisruptionBudget: budget,
  Lease: lease,
  ConfigMap: data,
  Secret: data,
  Event: event,
  Role: rules,
  ClusterRole: rules,
  RoleBinding: needs('roleRef.kind', 'roleRef.name'),
  ClusterRoleBinding: needs('roleRef.kind', 'roleRef.name'),
  ResourceQuota: quota,
  ResourceSlice: slice,
  ResourceClaim: claimSpec('spec'),
  ResourceClaimTemplate: claimSpec('spec.spec'),
  DeviceClass: ({ spec }) =>
    (spec?.selectors ?? []).flatMap((one: Json, index: number) =>
      one.cel?.expression ? [] : [required(`spec.selectors[${index}].cel`)],
    ),
};

export const changeRulesOf: Readonly<Record<string, ChangeRule>> = {
  Pod: podChangeErrors,
  Node: nodeChange,
  Deployment: fixed('spec.selector'),
  ReplicaSet: fixed('spec.selector'),
  DaemonSet: fixed('spec.selector'),
  StatefulSet: fixed(
    'spec.selector',
    'spec.serviceName',
    'spec.podManagementPolicy',
    'spec.volumeClaimTemplates',
  ),
  Job: fixed('spec.completions', 'spec.selector', 'spec.template'),
  ConfigMap: dataChange,
  Secret: (old, next) => [...dataChange(old, next), ...fixed('type')(old, next)],
  RoleBinding: bindingChange,
  ClusterRoleBinding: bindingChange,
  ResourceClaim: fixed('spec'),
  ResourceClaimTemplate: fixed('spec'),
  ResourceSlice: fixed('spec.driver', 'spec.pool.name', 'spec.nodeName'),
  PriorityClass: fixed('value', 'preemptionPolicy'),
};
