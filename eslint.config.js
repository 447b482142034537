/** Lint rules: what TypeScript cannot say. Layout is Prettier's, floors are dependency-cruiser's. */
import js from '@eslint/js';
import { defineConfig, globalIgnores } from 'eslint/config';
import tseslint from 'typescript-eslint';

const tests = ['**/*.test.ts', '**/*.contract.ts'];

const isAnArgument =
  'Time and chance are arguments: take a Clock or a seeded random, so that a run can be repeated.';
const clocksAndChance = {
  'no-restricted-globals': [
    'error',
    ...['Date', 'performance', 'crypto', 'setTimeout', 'setInterval', 'setImmediate'].map((name) => ({
      name,
      message: isAnArgument,
    })),
  ],
  'no-restricted-properties': ['error', { object: 'Math', property: 'random', message: isAnArgument }],
};

export default defineConfig(
  globalIgnores(['dist/', 'out/', 'coverage/', '.mica/']),
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },
  js.configs.recommended,
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: { parserOptions: { project: './tsconfig.json', tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      '@typescript-eslint/no-unnecessary-condition': [
        'error',
        { allowConstantLoopConditions: 'only-allowed-literals' },
      ],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_' }],
      // The port decides whether a function is asynchronous, not what one adapter happens to do.
      '@typescript-eslint/require-await': 'off',
      // An index that was just checked, in a loop that must be fast, is clearer with `!` than with a dead branch.
      '@typescript-eslint/no-non-null-assertion': 'off',
      'no-restricted-syntax': [
        'error',
        { selector: 'ExportDefaultDeclaration', message: 'Named exports only: one name everywhere.' },
      ],
      eqeqeq: ['error', 'always', { null: 'ignore' }],
    },
  },
  {
    files: ['src/**/*.ts'],
    ignores: ['src/apps/**', ...tests],
    rules: { 'no-console': 'error' },
  },
  {
    files: ['src/{core,engines}/**/*.ts'],
    ignores: tests,
    rules: clocksAndChance,
  },
  {
    files: ['test/**/*.ts', ...tests],
    rules: {
      // Tests read JSON answers as they are; a wrong field fails the expectation.
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-call': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
      'no-restricted-properties': [
        'error',
        ...['describe', 'it', 'test'].flatMap((object) =>
          ['only', 'skip', 'todo'].map((property) => ({
            object,
            property,
            message:
              'A test runs, or skips by name: describe.skipIf(tool.missing) with test/tooling/requires.ts.',
          })),
        ),
      ],
    },
  },
  {
    files: ['**/*.{js,mjs}', 'bin/mica'],
    languageOptions: { globals: { process: 'readonly', URL: 'readonly', performance: 'readonly' } },
  },
  {
    files: ['*.config.{js,ts}'],
    rules: { 'no-restricted-syntax': 'off' },
  },
);
