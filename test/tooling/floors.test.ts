/** The tools that hold the floors and the house rules, each tried on a tree with planted violations. */
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { cloneWith, root } from './clone.js';
import { run } from './run.js';

const settings = [
  'package.json',
  'tsconfig.json',
  'src/core/tsconfig.json',
  'eslint.config.js',
  '.dependency-cruiser.mjs',
];

const legal = {
  'src/core/geometry/mask.ts': 'export const mask = 1;\n',
  'src/core/geometry/near.ts': `import { mask } from './mask.js';\nexport const near = mask;\n`,
  'src/core/packing/pack.ts': `import { mask } from '#core/geometry/mask';\nexport const packed = mask;\n`,
  'src/core/packing/pack.test.ts': `import { readFileSync } from 'node:fs';\nimport { expect } from 'vitest';\nimport { solved } from '#adapters/highs/solver';\nimport { packed } from './pack.js';\nexpect([Date.now(), Math.random(), readFileSync, packed, solved]).toBeDefined();\n`,
  'src/ports/solver.ts': `import { packed } from '#core/packing/pack';\nexport const port = packed;\n`,
  'src/engines/emit/script.ts': `import { port } from '#ports/solver';\nexport const script = port;\n`,
  'src/engines/audit/audit.ts': `import { script } from '#engines/emit/script';\nexport const audit = script;\n`,
  'src/adapters/highs/solver.ts': `import highs from 'highs';\nimport { port } from '#ports/solver';\nexport const solved = [highs, port, Date.now()];\n`,
  'src/adapters/nvml/library.ts': `import koffi from 'koffi';\nexport const library = koffi;\n`,
  'src/adapters/peer/peers.ts': `import koffi from 'koffi';\nexport const peers = koffi;\n`,
  'src/apps/server/app.ts': `import fastify from 'fastify';\nexport const app = fastify;\n`,
  'src/adapters/csv/rows.ts': `import { readFileSync } from 'node:fs';\nexport const rows = readFileSync;\n`,
  'src/apps/cli/main.ts': `import { solved } from '#adapters/highs/solver';\nimport { audit } from '#engines/audit/audit';\nconsole.log(solved, audit);\n`,
};

const importing = (specifier: string) =>
  `import * as other from '${specifier}';\nexport const planted = other;\n`;
/** Each file breaks one rule. */
const wrongImports: Record<string, { rule: string; source: string }> = {
  'src/core/geometry/up.ts': { rule: 'core-imports-only-core', source: importing('#ports/solver') },
  'src/core/geometry/node.ts': { rule: 'core-imports-only-core', source: importing('node:fs') },
  'src/core/geometry/package.ts': { rule: 'core-imports-only-core', source: importing('yaml') },
  'src/ports/down.ts': { rule: 'ports-know-core', source: importing('#engines/emit/script') },
  'src/engines/emit/doing.ts': { rule: 'engines-know-ports', source: importing('#adapters/csv/rows') },
  'src/adapters/csv/sibling.ts': { rule: 'adapters-stay-apart', source: importing('#adapters/highs/solver') },
  'src/adapters/csv/verb.ts': { rule: 'adapters-stay-apart', source: importing('#engines/emit/script') },
  'src/apps/server/wiring.ts': { rule: 'apps-take-ports', source: importing('#adapters/csv/rows') },
  'src/index.ts': { rule: 'doors-publish-answers', source: importing('#adapters/csv/rows') },
  'src/apps/cli/solving.ts': { rule: 'highs-has-one-door', source: importing('highs') },
  'src/adapters/system/native.ts': { rule: 'koffi-has-few-doors', source: importing('koffi') },
  'src/adapters/desk/serving.ts': { rule: 'fastify-has-few-doors', source: importing('fastify') },
  'src/core/packing/left.ts': { rule: 'no-cycles', source: `import './right.js';\n` },
  'src/core/packing/right.ts': { rule: 'no-cycles', source: `import './left.js';\n` },
  'src/adapters/csv/typo.ts': { rule: 'no-missing', source: importing('#core/geometry/msak') },
  'src/adapters/csv/dev.ts': { rule: 'ships-without-tests', source: importing('fast-check') },
  'src/apps/cli/tested.ts': { rule: 'sources-import-no-tests', source: importing('#core/packing/pack.test') },
};

it('dependency-cruiser finds every wrong import, and no legal one', async () => {
  const planted = Object.fromEntries(
    Object.entries(wrongImports).map(([path, { source }]) => [path, source]),
  );
  const clone = cloneWith(settings, { ...legal, ...planted });
  const args = ['src', '--config', '.dependency-cruiser.mjs', '--output-type', 'json'];
  const { stdout } = await run(tool('depcruise'), args, { cwd: clone });
  const violations: { from: string; rule: { name: string } }[] = JSON.parse(stdout).summary.violations;
  const found = new Set(violations.map(({ from, rule }) => `${from}: ${rule.name}`));
  const expected = Object.entries(wrongImports).map(([path, { rule }]) => `${path}: ${rule}`);
  expect([...found].filter((line) => !line.endsWith(': no-cycles')).sort()).toEqual(
    expected.filter((line) => !line.endsWith(': no-cycles')).sort(),
  );
  // A cycle is reported once or at each of its files, as the tool pleases.
  expect([...found].some((line) => line.endsWith(': no-cycles'))).toBe(true);
});

it('ESLint finds clocks, chance, default exports, floating promises and open switches', async () => {
  const planted = {
    'src/core/geometry/now.ts': 'export const planted = new Date();\n',
    'src/core/geometry/chance.ts': 'export const planted = Math.random();\n',
    'src/engines/emit/clock.ts': 'export const planted = performance.now();\n',
    'src/engines/emit/late.ts': 'export const planted = () => setTimeout(() => undefined, 1);\n',
    'src/adapters/csv/chatty.ts': `console.log('planted');\n`,
    'src/apps/cli/nameless.ts': 'export default 1;\n',
    'src/apps/cli/floating.ts': 'Promise.resolve(1);\n',
    'src/core/geometry/open.ts': `export function planted(side: 'left' | 'right'): number {\n  switch (side) {\n    case 'left':\n      return 1;\n  }\n  return 2;\n}\n`,
    'src/core/geometry/later.test.ts': `import { it } from 'vitest';\nit.skip('planted', () => undefined);\n`,
  };
  const clone = cloneWith(settings, { ...legal, ...planted });
  const { stdout } = await run(tool('eslint'), ['--format', 'json', 'src'], { cwd: clone });
  const files: { filePath: string; messages: { ruleId: string }[] }[] = JSON.parse(stdout);
  const found = files.flatMap(({ filePath, messages }) =>
    messages.map(({ ruleId }) => `${filePath.slice(clone.length + 1)}: ${ruleId}`),
  );
  expect(found.sort()).toEqual([
    'src/adapters/csv/chatty.ts: no-console',
    'src/apps/cli/floating.ts: @typescript-eslint/no-floating-promises',
    'src/apps/cli/nameless.ts: no-restricted-syntax',
    'src/core/geometry/chance.ts: no-restricted-properties',
    'src/core/geometry/later.test.ts: no-restricted-properties',
    'src/core/geometry/now.ts: no-restricted-globals',
    'src/core/geometry/open.ts: @typescript-eslint/switch-exhaustiveness-check',
    'src/engines/emit/clock.ts: no-restricted-globals',
    'src/engines/emit/late.ts: no-restricted-globals',
  ]);
});

it('TypeScript knows no Node and no browser in core', async () => {
  const words = ['process', 'console', 'fetch', 'document', 'setTimeout', 'performance', 'Buffer'];
  const planted = Object.fromEntries(
    words.map((word) => [
      `src/core/geometry/planted-${word}.ts`,
      `export const planted: unknown = ${word};\n`,
    ]),
  );
  const clone = cloneWith(settings, { ...legal, ...planted });
  const { stdout } = await run(tool('tsc'), ['-p', 'src/core', '--pretty', 'false'], { cwd: clone });
  const found = [...stdout.matchAll(/^src\/core\/geometry\/planted-(\w+)\.ts.*error TS\d+/gm)].map(
    ([, word]) => word,
  );
  expect(found.sort()).toEqual(words.sort());
  expect(stdout.trim().split('\n')).toHaveLength(words.length);
});

function tool(name: string): string {
  return join(root, 'node_modules/.bin', name);
}
