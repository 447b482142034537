/** What the API server fills in: the defaults that clients see come back. */
import { randomUUID } from 'node:crypto';
import { isObject, type Json } from './json.js';

function fill(target: Json, values: Json): void {
  for (const [key, value] of Object.entries(values)) {
    if (target[key] === undefined) target[key] = value;
  }
}

function podSpec(spec: Json, restartPolicy = 'Always'): void {
  if (!isObject(spec)) return;
  fill(spec, {
    restartPolicy,
    dnsPolicy: 'ClusterFirst',
    terminationGracePeriodSeconds: 30,
    securityContext: {},
    schedulerName: 'default-scheduler',
  });
  for (const container of [...(spec.containers ?? []), ...(spec.initContainers ?? [])]) {
    const image = String(container.image ?? '');
    fill(container, {
      terminationMessagePath: '/dev/termination-log',
      terminationMessagePolicy: 'File',
      imagePullPolicy: /:latest$|^[^:]*$/.test(image) && !image.includes('@') ? 'Always' : 'IfNotPresent',
      resources: {},
    });
    for (const port of container.ports ?? []) fill(port, { protocol: 'TCP' });
    const { limits } = container.resources;
    if (limits !== undefined) {
      container.resources.requests ??= {};
      fill(container.resources.requests, limits);
    }
  }
}

const rolling = { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: '25%', maxSurge: '25%' } };

const defaultsOf: Readonly<Record<string, (object: Json) => void>> = {
  Pod: ({ spec }) => {
    podSpec(spec);
    if (!isObject(spec)) return;
    spec.preemptionPolicy ??= 'PreemptLowerPriority';
    spec.enableServiceLinks ??= true;
  },
  Node: (node) => {
    node.spec ??= {};
  },
  Namespace: ({ metadata, spec }) => {
    metadata.labels ??= {};
    if (metadata.name) metadata.labels['kubernetes.io/metadata.name'] = metadata.name;
    if (isObject(spec)) spec.finalizers ??= ['kubernetes'];
  },
  Deployment: ({ spec = {} }) => {
    fill(spec, { replicas: 1, strategy: rolling, revisionHistoryLimit: 10, progressDeadlineSeconds: 600 });
    podSpec(spec.template?.spec);
  },
  ReplicaSet: ({ spec = {} }) => {
    fill(spec, { replicas: 1 });
    podSpec(spec.template?.spec);
  },
  StatefulSet: ({ spec = {} }) => {
    fill(spec, { replicas: 1, podManagementPolicy: 'OrderedReady', revisionHistoryLimit: 10 });
    podSpec(spec.template?.spec);
  },
  DaemonSet: ({ spec = {} }) => {
    fill(spec, {
      revisionHistoryLimit: 10,
      updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 1, maxSurge: 0 } },
    });
    podSpec(spec.template?.spec);
  },
  Job: (job) => {
    const { metadata, spec = {} } = job;
    fill(spec, {
      parallelism: 1,
      completions: 1,
      backoffLimit: 6,
      completionMode: 'NonIndexed',
      suspend: false,
    });
    if (spec.selector === undefined && isObject(spec.template)) {
      const uid = (metadata.uid ??= randomUUID());
      const labels = {
        'batch.kubernetes.io/controller-uid': uid,
        'batch.kubernetes.io/job-name': metadata.name,
      };
      spec.template.metadata = {
        ...spec.template.metadata,
        labels: { ...spec.template.metadata?.labels, ...labels },
      };
      spec.selector = { matchLabels: { 'batch.kubernetes.io/controller-uid': uid } };
    }
    podSpec(spec.template?.spec, '');
  },
  CronJob: ({ spec = {} }) =>
    fill(spec, {
      concurrencyPolicy: 'Allow',
      suspend: false,
      successfulJobsHistoryLimit: 3,
      failedJobsHistoryLimit: 1,
    }),
  Service: ({ spec }) => {
    if (!isObject(spec)) return;
    fill(spec, { type: 'ClusterIP', sessionAffinity: 'None', internalTrafficPolicy: 'Cluster' });
    for (const port of spec.ports ?? []) fill(port, { protocol: 'TCP', targetPort: port.port });
  },
  Secret: (secret) => {
    fill(secret, { type: 'Opaque' });
    for (const [key, text] of Object.entries(secret.stringData ?? {})) {
      secret.data = { ...secret.data, [key]: Buffer.from(String(text)).toString('base64') };
    }
    Reflect.deleteProperty(secret, 'stringData');
  },
  RoleBinding: binding,
  ClusterRoleBinding: binding,
  ResourceClaim: ({ spec }) => requests(spec),
  ResourceClaimTemplate: ({ spec }) => requests(spec?.spec),
};

function binding({ roleRef, subjects }: Json): void {
  if (isObject(roleRef)) roleRef.apiGroup ??= 'rbac.authorization.k8s.io';
  for (const subject of subjects ?? []) {
    subject.apiGroup ??= subject.kind === 'ServiceAccount' ? undefined : 'rbac.authorization.k8s.io';
    if (subject.apiGroup === undefined) Reflect.deleteProperty(subject, 'apiGroup');
  }
}

function requests(spec: Json): void {
  for (const { exactly } of spec?.devices?.requests ?? []) {
    if (!isObject(exactly)) continue;
    exactly.allocationMode ??= 'ExactCount';
    if (exactly.allocationMode === 'ExactCount') exactly.count ??= 1;
  }
}

/** Changes the object in place. */
export function setDefaults(object: Json): void {
  defaultsOf[object.kind]?.(object);
}

/** What a new object's status is, whatever the client sent. */
export function initialStatus(kind: string, sent: Json): Json {
  switch (kind) {
    case 'Pod':
      return { phase: 'Pending', qosClass: 'BestEffort' };
    case 'Namespace':
      return { phase: 'Active' };
    case 'PodDisruptionBudget':
      return { disruptionsAllowed: 0, currentHealthy: 0, desiredHealthy: 0, expectedPods: 0 };
    case 'Node':
      return sent;
    default:
      return undefined;
  }
}
