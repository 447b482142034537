/**
 * What real machines answered, as calls and results. Written on 2026-11-23 from recordings that others published; a result is what
 * the recording shows of GI id, profile and place, or NVML's code. `create PROFILE` leaves the place to the driver; `client` is a process on the
 * card. Where a recording has no such line the step says so by standing in brackets: it only prepares the next.
 */

export interface Transcript {
  readonly name: string;
  /** Who recorded it, on what; the recordings themselves bear no dates. */
  readonly source: string;
  /** Catalogue key. */
  readonly key: string;
  readonly steps: readonly string[];
}

export const transcripts: readonly Transcript[] = [
  {
    name: 'H100 SXM: a 3g and a 2g, each with its compute instance',
    source: 'blog post with terminal output, H100 SXM 80GB',
    key: 'h100-80gb-sxm',
    steps: [
      'create 9 -> gi 2 at 4:4',
      'create 14 -> gi 3 at 0:2',
      'list -> 9 gi 2 at 4:4, 14 gi 3 at 0:2',
      'compute gi 2 -> ci 0 profile 2 at 0:4',
      'compute gi 3 -> ci 0 profile 1 at 0:2',
    ],
  },
  {
    name: 'H100 PCIe: seven 1g in the order of the driver',
    source: 'two public files: H100 PCIe, driver 570.169, Scaleway (creation), Talos (listing)',
    key: 'h100-80gb-pcie',
    steps: [
      'create 19 -> gi 9 at 6:1',
      'compute gi 9 -> ci 0 profile 0',
      'create 19 -> gi 7 at 4:1',
      'create 19 -> gi 8 at 5:1',
      'create 19 -> gi 11 at 0:1',
      'create 19 -> gi 12 at 1:1',
      'create 19 -> gi 13 at 2:1',
      'create 19 -> gi 14 at 3:1',
      'list -> 19 gi 7 at 4:1, 19 gi 8 at 5:1, 19 gi 9 at 6:1, 19 gi 11 at 0:1, 19 gi 12 at 1:1, 19 gi 13 at 2:1, 19 gi 14 at 3:1',
    ],
  },
  {
    name: 'A30: two 1g and a 2g, lowest start first',
    source: 'public file, A30, driver 535.183.01',
    key: 'a30-24gb',
    steps: [
      'list -> ',
      'create 14 -> gi 3 at 0:1',
      'compute gi 3 -> ci 0 profile 0',
      'create 14 -> gi 4 at 1:1',
      'create 5 -> gi 2 at 2:2',
      'compute gi 2 -> ci 0 profile 1',
      'list -> 5 gi 2 at 2:2, 14 gi 3 at 0:1, 14 gi 4 at 1:1',
    ],
  },
  {
    name: 'RTX PRO 6000 Server: life of two layouts',
    source: 'kubesimplify/website@c3935fb3, 8x RTX PRO 6000 Server, driver 610.43.02',
    key: 'rtx-pro-6000-blackwell-server',
    steps: [
      'create 14 -> gi 3 at 0:3',
      'create 14 -> gi 4 at 3:3',
      'create 14 -> gi 5 at 6:3',
      'create 14 -> gi 6 at 9:3',
      'compute gi 3 -> ci 0 profile 0 at 0:1',
      'destroy gi 3 -> 19',
      'remove gi 3 ci 0 -> 0',
      'destroy gi 3 -> 0',
      'destroy gi 4 -> 0',
      'destroy gi 5 -> 0',
      'destroy gi 6 -> 0',
      'create 5 -> gi 1 at 0:6',
      'compute gi 1 -> ci 0 profile 1',
      'create 14 -> gi 5 at 6:3',
      'create 14 -> gi 6 at 9:3',
      'list -> 5 gi 1 at 0:6, 14 gi 5 at 6:3, 14 gi 6 at 9:3',
    ],
  },
  {
    name: 'RTX PRO 6000 Server: GI ids are not in the order of creation',
    source: 'truenas-community-sysexts/nvidia-mig-support@ee72c59b',
    key: 'rtx-pro-6000-blackwell-server',
    steps: ['create 21 -> gi 3', 'create 35 -> gi 2', 'create 47 -> gi 4'],
  },
  {
    name: 'RTX PRO 6000 Server: explicit places by HAMi',
    source: 'kubesimplify/website@c3935fb3, dynamic MIG with HAMi 634bf2b32e68, driver 610.43.02',
    key: 'rtx-pro-6000-blackwell-server',
    steps: ['place 14:9 -> gi 6 at 9:3', 'place 5:0 -> gi 1 at 0:6'],
  },
  {
    name: 'GH200: a client holds the card; a second +me; double-memory 1g',
    source: 'public file, GH200 96GB',
    key: 'gh200-96gb',
    steps: [
      '[client]',
      'create 20 -> 19',
      '[no client]',
      '[create 20]',
      'create 20 -> 23',
      '[clear]',
      'create 15 -> gi 5',
      'compute gi 5 -> ci 0 profile 7',
      'create 15 -> gi 3',
      'create 15 -> gi 4',
    ],
  },
  {
    name: 'A100: small slices first leave no room for a 3g',
    source: "NVIDIA's MIG user guide, getting started",
    key: 'a100-40gb',
    steps: ['create 19 -> at 6:1', 'create 19 -> at 4:1', 'create 14 -> at 0:2', 'create 9 -> 23'],
  },
  {
    name: 'A100: large slices first fit',
    source: "NVIDIA's MIG user guide, getting started; GI id of the 3g: project-codeflare/instaslice@b34e86d",
    key: 'a100-40gb',
    steps: ['create 9 -> gi 2', '[create 19]', '[create 14]', '[create 19]'],
  },
];
