/** Names of slices that no card has, or that Kubernetes cannot spell. */
import { migModels } from '#core/catalogue/catalogue';
import { findProfile } from '#core/catalogue/find-profile';
import { asNvidiaSpells } from '#core/catalogue/profile-name';
import type { Finding } from '../finding.js';
import type { Rules } from '../rule.js';
import { migSizeOf } from '../pod-specs.js';

const sizeLabel = 'cloud.google.com/gke-gpu-partition-size';

export const profileNames: Rules = {
  ask: ({ resource, path }, { cards, target }) => {
    const size = migSizeOf(resource.replace(/\.shared$/, ''));
    if (size === null) return [];
    // Elsewhere the resource is none, however it is spelled.
    if (size.includes('+') && target === 'gpu-operator') {
      const key = resource.replaceAll('+', '.');
      return [
        {
          ...{ rule: 'plus-in-name', severity: 'error', path },
          message: `${resource} is no resource name: Kubernetes allows no +`,
          fix: `ask for ${key}, as the device plugin spells it`,
          edits: [{ kind: 'rename', path, key }],
        },
      ];
    }
    const known = migModels();
    const among = cards ?? known;
    if (among.some((model) => findProfile(model, size).ok)) return [];
    const elsewhere = known.find((model) => findProfile(model, size).ok);
    const [card] = among;
    const why = card === undefined ? null : findProfile(card, size);
    const instead = why?.ok === false ? why.why.instead : [];
    const finding: Finding = {
      rule: elsewhere === undefined ? 'unknown-profile' : 'not-on-this-card',
      severity: 'error',
      path,
      message:
        why?.ok === false && (cards !== null || known.length === 1)
          ? why.why.message
          : `no GPU that Mica knows has a profile ${asNvidiaSpells(size)}`,
      fix:
        instead.length === 0 ? 'see `mica catalogue` for what there is' : `ask for ${instead.join(' or ')}`,
      edits: [],
    };
    return [finding];
  },
  pod: ({ spec, path }) => {
    const selector = spec['nodeSelector'];
    const size = (selector as Readonly<Record<string, unknown>> | undefined)?.[sizeLabel];
    if (typeof size !== 'string' || !size.includes('+')) return [];
    const where = [...path, 'nodeSelector', sizeLabel];
    const value = size.replaceAll('+', '.');
    return [
      {
        ...{ rule: 'plus-in-name', severity: 'error', path: where },
        message: `${size} is no label value: Kubernetes allows no +`,
        fix: `write ${value}`,
        edits: [{ kind: 'set', path: where, value }],
      },
    ];
  },
};
