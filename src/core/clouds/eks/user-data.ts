/**
 * User data of a launch template: EKS adds what joins the cluster after it, so that a shell script in it runs before the
 * kubelet starts. What a template has already is kept.
 *
 * Sources: AWS EKS user guide, "Customize managed nodes with launch templates" (MIME multi-part for AL2 and AL2023, TOML
 * for Bottlerocket); eksctl documentation, "Node bootstrapping", read 2026-11.
 */

export type UserDataAnswer =
  { readonly ok: true; readonly text: string } | { readonly ok: false; readonly message: string };

const boundary = '==MICA-SLICES==';

/** `had`: the user data of the template that is copied; empty: none. */
export function withBootScript(script: string, had: string): UserDataAnswer {
  const part = `Content-Type: text/x-shellscript; charset="us-ascii"\n\n${script}`;
  const parts = partsOf(had.replaceAll('\r\n', '\n'));
  if (parts === null) {
    const message = 'its launch template has user data that is neither a MIME document nor a shell script';
    return { ok: false, message };
  }
  const kept = parts.filter(
    (one) => !one.includes('# Cuts the GPUs of this node into slices before the kubelet joins. Made by Mica'),
  );
  const text = [
    'MIME-Version: 1.0',
    `Content-Type: multipart/mixed; boundary="${boundary}"`,
    '',
    ...[part, ...kept].map((one) => `--${boundary}\n${one.trimEnd()}\n`),
    `--${boundary}--`,
    '',
  ].join('\n');
  return { ok: true, text };
}

/** Each with its own header. `null`: it cannot be told. */
function partsOf(had: string): readonly string[] | null {
  const text = had.trim();
  if (text === '') return [];
  if (text.startsWith('#!')) return [`Content-Type: text/x-shellscript; charset="us-ascii"\n\n${text}\n`];
  const [, mark = ''] = /^content-type:\s*multipart\/mixed;\s*boundary="?([^"\n]+?)"?\s*$/im.exec(text) ?? [];
  if (mark === '') return null;
  const [, ...parts] = text.split(`\n--${mark}`);
  const end = parts.findIndex((one) => one.startsWith('--'));
  return end < 0 ? null : parts.slice(0, end).map((one) => one.replace(/^[ \t]*\n/, ''));
}

/** Bottlerocket's settings as TOML, beside those that the template has. */
export function withBottlerocketCut(
  { key, profile, sharers }: { readonly key: string; readonly profile: string; readonly sharers: number },
  had: string,
): UserDataAnswer {
  const kept = had.trim();
  if (kept.includes('kubelet-device-plugins')) {
    return { ok: false, message: 'its launch template has settings.kubelet-device-plugins of its own' };
  }
  const lines = [
    ...(kept === '' ? [] : [kept, '']),
    '[settings.kubelet-device-plugins.nvidia]',
    'device-partitioning-strategy = "mig"',
    ...(sharers > 1 ? ['device-sharing-strategy = "time-slicing"'] : []),
    '',
    '[settings.kubelet-device-plugins.nvidia.mig.profile]',
    `"${key}" = "${profile}"`,
    ...(sharers > 1
      ? [
          '',
          '[settings.kubelet-device-plugins.nvidia.time-slicing]',
          'rename-by-default = true',
          `replicas = ${sharers}`,
        ]
      : []),
  ];
  return { ok: true, text: `${lines.join('\n')}\n` };
}
