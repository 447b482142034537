/**
 * A week of 64 GPUs, minute by minute, with what goes wrong in real ones. Only numbers are here: `series.ts` writes
 * them as Prometheus has them, `truth.ts` says what an audit must find. Nothing of this imports the product.
 */

export const everyMs = 60_000;
/** What DCGM has where it has no figure: 0x7ffffffffffffff2, as near as a double comes. */
const noFigure = 2 ** 63;
/** 2026-01-05 and the seven days after it; samples go on for two hours on both sides. */
export const window = { startMs: Date.UTC(2026, 0, 5), endMs: Date.UTC(2026, 0, 12) };
export const minutes = 7 * 24 * 60;
export const margin = 120;

export interface Card {
  readonly host: number;
  readonly gpu: number;
  readonly uuid: string;
  readonly product: string;
}

export interface Pod {
  readonly namespace: string;
  readonly pod: string;
  readonly container: string;
  /** What the cluster knows of it; `null`: it is gone without a trace, and only its name is left. */
  readonly owners: readonly { readonly kind: string; readonly name: string }[] | null;
  /** The workload that it belongs to. */
  readonly workload: string;
  readonly kind: string;
}

/** One holder on one device from minute to minute: a row of dcgm-exporter. */
export interface Run {
  readonly card: Card;
  readonly slice: { readonly id: number; readonly profile: string } | null;
  readonly pod: Pod | null;
  /** Minutes since the window began; `to` is not in it. */
  readonly from: number;
  readonly to: number;
  /** `undefined`: no sample at that minute. */
  readonly memory: (minute: number) => number | undefined;
  /** In the units of its metric. */
  readonly activity: (minute: number) => number | undefined;
  readonly style: Style;
  /** A row of the whole GPU beside rows of its slices, which an audit must not count. */
  readonly shadow: boolean;
}

/** How a host writes its rows. */
export interface Style {
  readonly host: 'Hostname' | 'hostname';
  readonly exported: boolean;
  readonly memory: string;
  readonly activity: string;
  readonly metric: 'sm-active' | 'gr-engine' | 'utilization';
  /** Activity figures of a lesser metric that are there as well, and not to be used. */
  readonly beside: string | null;
}

const plain: Style = {
  host: 'Hostname',
  exported: false,
  memory: 'DCGM_FI_DEV_FB_USED',
  activity: 'DCGM_FI_PROF_GR_ENGINE_ACTIVE',
  metric: 'gr-engine',
  beside: null,
};
const renamed: Style = {
  ...plain,
  host: 'hostname',
  activity: 'DCGM_FI_PROF_SM_UTIL_RATIO',
  metric: 'sm-active',
  beside: 'DCGM_FI_PROF_GR_ENGINE_UTIL_RATIO',
};
const exported: Style = { ...plain, exported: true };
const utilization: Style = { ...plain, activity: 'DCGM_FI_DEV_GPU_UTIL', metric: 'utilization' };
const managed: Style = {
  ...plain,
  memory: 'prometheus_googleapis_com:DCGM_FI_DEV_FB_USED_gauge',
  activity: 'prometheus_googleapis_com:DCGM_FI_PROF_SM_ACTIVE_gauge',
  metric: 'sm-active',
};

const h100 = 'NVIDIA H100 80GB HBM3';
const a100 = 'NVIDIA A100-SXM4-80GB';
const l4 = 'NVIDIA L4';
const [begin, end] = [-margin, minutes + margin];
const day = 24 * 60;

/** A number from 0 to 1 that depends on nothing but its arguments. */
function noise(seed: number, minute: number): number {
  let mixed = Math.imul(seed + 1, 0x9e3779b1) ^ Math.imul(minute + 100_000, 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x2c1b3c6d);
  mixed = Math.imul(mixed ^ (mixed >>> 12), 0x297a2d39);
  return ((mixed ^ (mixed >>> 15)) >>> 0) / 4294967296;
}

/** Six digits, as the exporter writes them. */
function busy(seed: number, level: number): (minute: number) => number {
  return (minute) => Math.round(Math.min(1, level * (0.5 + noise(seed, minute))) * 1e6) / 1e6;
}

function around(seed: number, baseMiB: number, spreadMiB = 200): (minute: number) => number {
  return (minute) => Math.round(baseMiB + spreadMiB * noise(seed + 7777, minute));
}

export function runs(): readonly Run[] {
  const all: Run[] = [];
  const card = (host: number, gpu: number, product: string): Card => {
    const tail = String(host * 8 + gpu).padStart(12, '0');
    return { host, gpu, product, uuid: `GPU-5a1e0000-0000-4000-8000-${tail}` };
  };
  const add = (
    on: Card,
    pod: Pod | null,
    memory: Run['memory'],
    activity: Run['activity'],
    more: Partial<Run> = {},
  ): void => {
    all.push({
      card: on,
      slice: null,
      pod,
      from: begin,
      to: end,
      memory,
      activity,
      style: plain,
      shadow: false,
      ...more,
    });
  };

  // Host 0: eight services that run all week; some are not as clean as they look.
  for (let gpu = 0; gpu < 8; gpu += 1) {
    const base = around(gpu, 8000 + gpu * 3000);
    const memory: Run['memory'] = (minute) => {
      if (gpu === 3) return minute >= 5000 && minute < 5003 ? 25_498 : base(minute);
      if (gpu === 4) return base(minute) + Math.floor((minute + margin) / 30);
      if (gpu === 5) return minute === 777 ? base(minute) + 400 : base(minute);
      if (gpu === 6) return minute >= 4000 && minute < 4005 ? NaN : base(minute);
      if (gpu === 7) return minute % 2500 === 9 ? noFigure : base(minute);
      return base(minute);
    };
    const activity = busy(gpu, 0.1 * gpu);
    add(card(0, gpu, h100), deployment('prod', `chat-${gpu}`, 0), memory, (minute) =>
      gpu === 6 && minute === 100 ? 1.294 : gpu === 7 && minute === 200 ? noFigure : activity(minute),
    );
  }

  // Host 1: replicas that are replaced, a set with an ordinal, jobs by the clock, an exporter that was away.
  for (let replica = 0; replica < 3; replica += 1) {
    for (let life = 0; life * 2 * day < end; life += 1) {
      const from = life === 0 ? begin : life * 2 * day + replica * 100 + 3;
      const to = Math.min(end, (life + 1) * 2 * day + replica * 100);
      const seed = 20 + replica * 10 + life;
      add(card(1, replica, a100), deployment('prod', 'search', seed), around(seed, 15_000), busy(seed, 0.4), {
        from,
        to,
      });
    }
  }
  for (let replica = 0; replica < 2; replica += 1)
    add(
      card(1, 3 + replica, a100),
      statefulSet('prod', 'rank', replica),
      around(70 + replica, 30_000),
      busy(70 + replica, 0.7),
    );
  add(card(1, 5, a100), job('batch', 'embed-once', 0), around(75, 60_000, 9000), busy(75, 0.9), {
    from: 1500,
    to: 6100,
  });
  add(
    card(1, 6, a100),
    deployment('prod', 'gappy', 0),
    (minute) => (minute >= 3000 && minute < 3600 ? undefined : around(76, 11_000)(minute)),
    (minute) => (minute >= 3000 && minute < 3600 ? undefined : busy(76, 0.3)(minute)),
  );
  for (let run = 0; run < 42; run += 1)
    add(card(1, 7, a100), cronJob('batch', 'nightly', run), around(80 + run, 4000), busy(80 + run, 0.9), {
      from: run * 240,
      to: run * 240 + 20,
    });

  // Host 2: slices, with ids of which one is the end of another, a new layout half-way, and rows of the whole beside them.
  const slice = (id: number, profile: string): Run['slice'] => ({ id, profile });
  for (let gpu = 0; gpu < 8; gpu += 1) {
    const on = card(2, gpu, a100);
    const name = `mig-${gpu}`;
    if (gpu === 2) {
      add(on, deployment('slices', `${name}-before`, 0), around(130, 5000), busy(130, 0.5), {
        slice: slice(7, '1g.10gb'),
        to: 5000,
      });
      add(on, deployment('slices', `${name}-after`, 0), around(131, 25_000), busy(131, 0.5), {
        slice: slice(1, '3g.40gb'),
        from: 5010,
      });
    } else if (gpu === 3) {
      add(on, deployment('slices', `${name}-whole`, 0), around(132, 50_000), busy(132, 0.5), { to: 4000 });
      add(on, deployment('slices', `${name}-cut`, 0), around(133, 7000), busy(133, 0.5), {
        slice: slice(5, '2g.20gb'),
        from: 4010,
      });
    } else {
      for (const [id, profile, baseMiB] of [
        [1, '3g.40gb', 22_000],
        [5, '2g.20gb', 12_000],
        [13, '1g.10gb', 3000],
      ] as const) {
        const seed = 140 + gpu * 20 + id;
        const comes = gpu === 1 && id === 5 ? { from: 2000, to: 8000 } : {};
        add(
          on,
          deployment('slices', `${name}-${id}`, 0),
          around(seed, baseMiB + gpu * 100),
          busy(seed, 0.6),
          {
            slice: slice(id, profile),
            ...comes,
          },
        );
      }
      if (gpu === 4) add(on, null, around(300, 40_000), busy(300, 0.9), { shadow: true });
    }
  }

  // Host 3: cards that several share, each shown the figures of all; two containers of one pod; a pod gone without a trace.
  for (const [index, stay] of [
    { from: begin, to: end },
    { from: begin, to: end },
  ].entries())
    add(
      card(3, 0, h100),
      deployment('dev', `notebook-${index}`, 0),
      around(310, 20_000),
      busy(310, 0.3),
      stay,
    );
  for (let index = 0; index < 3; index += 1)
    add(card(3, 1, h100), deployment('dev', `slow-${index}`, 0), around(311, 18_000), busy(311, 0.3), {
      from: index * 1000,
      to: 6000 + index * 1000,
    });
  for (const container of ['server', 'sidecar']) {
    const pod = { ...deployment('dev', 'two-in-one', 0), container };
    add(
      card(3, 2, h100),
      pod,
      around(container === 'server' ? 312 : 313, container === 'server' ? 9000 : 700),
      busy(312, 0.2),
    );
  }
  for (let gpu = 3; gpu < 7; gpu += 1)
    add(card(3, gpu, h100), deployment('dev', `lone-${gpu}`, 0), around(320 + gpu, 5000), () => 0);
  add(
    card(3, 7, h100),
    { ...deployment('legacy', 'old-app', 0), owners: null },
    around(330, 10_000),
    busy(330, 0.2),
  );

  // Host 4: pods that hold several GPUs, one after the other.
  for (let gpu = 0; gpu < 4; gpu += 1) {
    add(card(4, gpu, h100), job('train', 'big-a', 0), around(400 + gpu, 70_000), busy(400 + gpu, 0.95), {
      from: 300,
      to: 4300,
    });
    add(card(4, gpu, h100), job('train', 'big-b', 0), around(410 + gpu, 60_000), busy(410 + gpu, 0.95), {
      from: 4500,
      to: 8000,
    });
    add(
      card(4, gpu, h100),
      null,
      () => 2,
      () => 0,
      { from: 8001, to: end },
    );
  }
  for (let gpu = 4; gpu < 8; gpu += 1)
    add(
      card(4, gpu, h100),
      deployment('train', `pair-${gpu >> 1}`, 0),
      around(420 + gpu, 40_000),
      busy(420 + gpu, 0.8),
    );

  // Host 5: the new names, all week and for a time.
  for (let gpu = 0; gpu < 8; gpu += 1) {
    const stay = gpu === 7 ? { from: 1000, to: 2500 } : {};
    add(
      card(5, gpu, h100),
      deployment('prod', `new-${gpu}`, 0),
      around(500 + gpu, 12_000),
      busy(500 + gpu, 0.5),
      {
        style: renamed,
        ...stay,
      },
    );
  }

  // Host 6: scraped without honorLabels, a workload whose replicas are on two cards, and one that nobody holds.
  for (let gpu = 0; gpu < 7; gpu += 1)
    add(
      card(6, gpu, a100),
      deployment('apps', gpu < 2 ? 'twins' : `exported-${gpu}`, gpu),
      around(600 + gpu, 6000),
      busy(600 + gpu, 0.25),
      {
        style: exported,
      },
    );
  add(
    card(6, 7, a100),
    null,
    () => 3,
    () => 0,
    { style: exported },
  );

  // Host 7: no MIG; nobody named; a card that came late; labels that changed half-way; names as GKE writes them.
  for (let gpu = 0; gpu < 2; gpu += 1)
    add(
      card(7, gpu, l4),
      null,
      () => 2,
      () => 0,
      { style: utilization },
    );
  add(card(7, 2, l4), null, around(700, 9000), (minute) => Math.floor(60 * noise(700, minute)), {
    style: utilization,
  });
  add(
    card(7, 3, l4),
    null,
    () => 3,
    () => 0,
    { style: utilization, to: 3000 },
  );
  add(
    card(7, 3, l4),
    deployment('edge', 'half', 0),
    around(701, 7000),
    (minute) => Math.floor(80 * noise(701, minute)),
    {
      style: utilization,
      from: 3000,
    },
  );
  add(
    card(7, 4, l4),
    deployment('edge', 'steady', 0),
    around(702, 5000),
    (minute) => Math.floor(40 * noise(702, minute)),
    {
      style: utilization,
    },
  );
  add(card(7, 5, l4), deployment('edge', 'late', 0), around(703, 4000), () => 7, {
    style: utilization,
    from: 4320,
  });
  for (const [host, from, to] of [
    ['Hostname', begin, 5000],
    ['hostname', 5000, end],
  ] as const)
    add(card(7, 6, l4), deployment('edge', 'upgraded', 0), around(704, 6000), () => 30, {
      style: { ...utilization, host },
      from,
      to,
    });
  add(card(7, 7, l4), deployment('edge', 'managed', 0), around(705, 8000), busy(705, 0.5), {
    style: managed,
  });
  return all;
}

const letters = 'bcdfghjklmnpqrstvwxz2456789';
/** The random end of a pod's name, in the letters that Kubernetes uses. */
function suffix(seed: number, length: number): string {
  return Array.from({ length }, (_, index) => letters[Math.floor(noise(seed, index) * letters.length)]).join(
    '',
  );
}

function deployment(namespace: string, name: string, copy: number): Pod {
  const replicaSet = `${name}-${suffix(name.length, 10)}`;
  return {
    namespace,
    pod: `${replicaSet}-${suffix(copy * 31 + name.length, 5)}`,
    container: 'main',
    owners: [
      { kind: 'ReplicaSet', name: replicaSet },
      { kind: 'Deployment', name },
    ],
    workload: name,
    kind: 'Deployment',
  };
}

function statefulSet(namespace: string, name: string, ordinal: number): Pod {
  const owners = [{ kind: 'StatefulSet', name }];
  return {
    namespace,
    pod: `${name}-${ordinal}`,
    container: 'main',
    owners,
    workload: name,
    kind: 'StatefulSet',
  };
}

function job(namespace: string, name: string, copy: number): Pod {
  const owners = [{ kind: 'Job', name }];
  return {
    namespace,
    pod: `${name}-${suffix(copy + name.length, 5)}`,
    container: 'main',
    owners,
    workload: name,
    kind: 'Job',
  };
}

function cronJob(namespace: string, name: string, run: number): Pod {
  const jobName = `${name}-${29_000_000 + run * 240}`;
  const owners = [
    { kind: 'Job', name: jobName },
    { kind: 'CronJob', name },
  ];
  return {
    namespace,
    pod: `${jobName}-${suffix(run, 5)}`,
    container: 'main',
    owners,
    workload: name,
    kind: 'CronJob',
  };
}
