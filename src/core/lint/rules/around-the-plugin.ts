/** A container that names devices itself gets all of them, whatever was counted for it. */
import type { Rules } from '../rule.js';
import { isMap } from '../pod-specs.js';

const variables = ['NVIDIA_VISIBLE_DEVICES', 'CUDA_VISIBLE_DEVICES'];

export const aroundThePlugin: Rules = {
  pod: (pod) =>
    pod.containers.flatMap(({ path, name, value, limits }) => {
      const env = Array.isArray(value['env']) ? (value['env'] as readonly unknown[]) : [];
      return env.flatMap((one, index) => {
        if (!isMap(one) || !variables.includes(String(one['name']))) return [];
        const said = typeof one['value'] === 'string' ? one['value'] : '';
        const isHarmless =
          said === 'none' || said === 'void' || (said === '' && one['valueFrom'] === undefined);
        if (isHarmless) return [];
        const variable = String(one['name']);
        const where = [...path, 'env', index];
        return [
          {
            ...{ rule: 'around-the-plugin' as const, severity: 'warning' as const, path: where },
            message:
              Object.keys(limits).length === 0
                ? `container ${name} takes GPUs by ${variable} without asking for any: it shares other pods' slices`
                : `container ${name} sets ${variable}: the device plugin sets what it may see, and this wins over it`,
            fix: 'ask for the resource, and leave the variable out',
            edits: [{ kind: 'remove' as const, path: where }],
          },
        ];
      });
    }),
};
