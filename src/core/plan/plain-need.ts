/** A need that asks for nothing in particular: one replica on one GPU. */
import type { Need } from './documents.js';

export function plainNeed(name: string): Need {
  return {
    name,
    count: 1,
    gpus: 1,
    p2p: false,
    media: false,
    graphics: false,
    isolation: 'hardware',
    priority: 0,
    movable: true,
  };
}
