/** The environment of programs on slices: this one's, without what lets them in as somebody. */
import type { Host } from '../../terminal/screen.js';

export function programEnv({ env }: Host): Host['env'] {
  return { ...env, MICA_TOKEN: undefined };
}
