import { expect, it } from 'vitest';
import { stateFolder } from './state-folder.js';

it.each([
  [{ MICA_STATE_DIR: '/srv/mica', XDG_STATE_HOME: '/x' }, true, '/srv/mica'],
  [{ MICA_STATE_DIR: '', XDG_STATE_HOME: '/x' }, true, '/var/lib/mica'],
  [{ XDG_STATE_HOME: '/x', HOME: '/home/ann' }, false, '/x/mica'],
  [{ XDG_STATE_HOME: 'x', HOME: '/home/ann' }, false, '/home/ann/.local/state/mica'],
  [{ HOME: '/home/ann' }, false, '/home/ann/.local/state/mica'],
])('%j, root: %j', (env, isRoot, folder) => {
  expect(stateFolder(env, isRoot)).toBe(folder);
});
