import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { main } from '#apps/cli/main';

/** Blocks that start with `$ mica ...`: what follows is what the command prints. `UPDATE_GOLDEN=1` writes it anew. */
const block = /```console\n\$ mica ([^\n]*)\n([^`]*)```/g;
const update = process.env['UPDATE_GOLDEN'] === '1';

describe('the README', () => {
  it('shows what the commands print', async () => {
    const readme = readFileSync('README.md', 'utf8');
    const blocks = [...readme.matchAll(block)];
    expect(blocks.length).toBeGreaterThan(3);
    let fresh = readme;
    for (const [whole, command = '', shown = ''] of blocks) {
      const printed = await outputOf(command);
      if (update) fresh = fresh.replace(whole, () => `\`\`\`console\n$ mica ${command}\n${printed}\`\`\``);
      else expect(shown, `$ mica ${command}`).toBe(printed);
    }
    if (update) writeFileSync('README.md', fresh);
  });
});

/** Simulated machines of the tour live here, not with the user's. */
const stateFolder = mkdtempSync(join(tmpdir(), 'mica-readme-'));

async function outputOf(command: string): Promise<string> {
  let text = '';
  const out = { write: (piece: string) => (text += piece), isTTY: false, columns: 100 };
  await main(command.split(' '), {
    out,
    err: { write: () => undefined },
    env: { MICA_STATE_DIR: stateFolder },
  });
  return text;
}
