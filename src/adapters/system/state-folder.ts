/** Where what must outlive this process is kept on this machine. */
import { homedir } from 'node:os';
import { join } from 'node:path';

/** `$MICA_STATE_DIR`; else one place for root, and the user's own for everybody else. */
export function stateFolder(
  env: Readonly<Record<string, string | undefined>>,
  isRoot = process.getuid?.() === 0,
): string {
  const named = env['MICA_STATE_DIR'] ?? '';
  if (named !== '') return named;
  if (isRoot) return '/var/lib/mica';
  const states = env['XDG_STATE_HOME'] ?? '';
  // The specification says that a relative path there is to be ignored.
  const home = states.startsWith('/') ? states : join(env['HOME'] ?? homedir(), '.local', 'state');
  return join(home, 'mica');
}
