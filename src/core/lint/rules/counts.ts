/** Extended resources are whole numbers, and what is requested is what is limited. */
import type { Rules } from '../rule.js';
import { countOf } from '../pod-specs.js';

export const counts: Rules = {
  ask: ({ container, resource, count, path }) => {
    if (count === 0 || count === '0') return [];
    if (countOf(count) === null) {
      return [
        {
          ...{ rule: 'bad-count', severity: 'error', path },
          message: `${resource}: ${JSON.stringify(count)} is not a whole number: a slice is had whole or not at all`,
          fix: 'ask for 1 of a smaller slice; `mica size --memory ...` says which one is enough',
          edits: [],
        },
      ];
    }
    const { limits, requests } = container;
    const limit = limits[resource];
    const request = requests[resource];
    if (request === undefined || countOf(limit) === countOf(request)) return [];
    const where = [...container.path, 'resources', 'limits', resource];
    return [
      {
        ...{ rule: 'limits-and-requests', severity: 'error', path },
        message:
          limit === undefined
            ? `${resource} is requested and not limited: the API server refuses the pod`
            : `${resource}: limit ${JSON.stringify(limit)} and request ${JSON.stringify(request)} differ: the API server refuses the pod`,
        fix: 'state the limit alone; the request follows it',
        edits: [
          { kind: 'set', path: where, value: limit ?? request },
          { kind: 'remove', path: [...container.path, 'resources', 'requests', resource] },
        ],
      },
    ];
  },
};
