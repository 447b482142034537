/**
 * The cards that Bottlerocket's MIG settings know: the key of each, and the sizes that it cuts.
 *
 * Sources: the MIG manager of bottlerocket-os/bottlerocket-kernel-kit (pull requests 35, 136, 300; 2025), which holds
 * the list of sizes per key, and bottlerocket-os/bottlerocket-settings-sdk@25e4241, which checks keys and values. It
 * always cuts a GPU into as many slices of the size as it holds.
 * Not here on purpose: H100 NVL and GH200 are taken by it for an H100-80 or H200, whose sizes they do not have; GB200
 * likewise for a B200. For A30 and B300 no key was found in a source that can be named.
 */
export interface BottlerocketCard {
  readonly key: string;
  readonly profiles: readonly string[];
  /** What an old release lacks. */
  readonly since?: string;
}

const a100Large: BottlerocketCard = {
  key: 'a100.80gb',
  profiles: ['1g.10gb', '1g.20gb', '2g.20gb', '3g.40gb', '7g.80gb'],
};
const h100: BottlerocketCard = { ...a100Large, key: 'h100.80gb' };
const h200: BottlerocketCard = {
  key: 'h200.141gb',
  profiles: ['1g.18gb', '1g.35gb', '2g.35gb', '3g.71gb', '7g.141gb'],
};

const cards: Readonly<Record<string, BottlerocketCard>> = {
  'a100-40gb': { key: 'a100.40gb', profiles: ['1g.5gb', '1g.10gb', '2g.10gb', '3g.20gb', '7g.40gb'] },
  'a100-80gb': a100Large,
  'h100-80gb-sxm': h100,
  'h100-80gb-pcie': h100,
  'h200-141gb': h200,
  'h200-nvl-141gb': h200,
  'b200-180gb': {
    key: 'b200.180gb',
    profiles: ['1g.23gb', '1g.45gb', '2g.45gb', '3g.90gb', '7g.180gb'],
    since: 'kernel-kit pull request 136 (May 2025)',
  },
  'rtx-pro-6000-blackwell-server': {
    key: 'rtxpro6000.96gb',
    profiles: ['1g.24gb', '2g.48gb', '4g.96gb'],
    since: 'kernel-kit pull request 300 and settings-sdk pull request 105 (October 2025)',
  },
};

export const bottlerocketModels: readonly string[] = Object.keys(cards);

/** By catalogue key. */
export function bottlerocketCard(model: string): BottlerocketCard | undefined {
  return Object.hasOwn(cards, model) ? cards[model] : undefined;
}
