// The layer table of ARCHITECTURE.md is this file's `layers`: one block per folder, since flat config replaces a rule's options.
import tseslint from 'typescript-eslint';
import eslint from '@eslint/js';

/** Folder → what it may import at run time, what only as types, and its npm packages. */
export const layers = {
  model: { imports: [], types: [], npm: [] },
  redis: { imports: ['model'], types: [], npm: ['ioredis'] },
  kubernetes: { imports: ['model'], types: [], npm: ['@kubernetes/client-node', 'kubernetes-types', 'ws'] },
  sandbox: { imports: ['model'], types: [], npm: [] },
  checks: { imports: ['model'], types: [], npm: [] },
  inventory: { imports: ['model'], types: ['redis', 'kubernetes'], npm: [] },
  operations: { imports: ['model', 'checks'], types: ['redis', 'kubernetes'], npm: ['yaml', 'zod'] },
  ui: {
    imports: ['model', 'inventory', 'checks', 'operations'],
    types: ['redis', 'kubernetes', 'sandbox'],
    npm: ['vscode'],
  },
};

/** Every package a layer may own; one that no layer lists here cannot be imported from src at all. */
const packages = [
  'vscode',
  'ioredis',
  '@kubernetes/client-node',
  'kubernetes-types',
  'ws',
  'yaml',
  'zod',
  '@vscode/webview-ui-toolkit',
];

/**
 * @param {string} layer
 * @param {{ imports: readonly string[], types: readonly string[], npm: readonly string[] }} rule
 */
function restricted(layer, { imports, types, npm }) {
  const otherLayers = Object.keys(layers).filter((other) => other !== layer && !imports.includes(other));
  return {
    patterns: [
      ...packages
        .filter((name) => !npm.includes(name))
        .map((name) => ({ group: [name, `${name}/**`], message: `src/${layer}/ must not import ${name}.` })),
      ...otherLayers.map((other) => ({
        regex: `^(\\.\\./)+${other}/`,
        allowTypeImports: types.includes(other),
        message: `src/${layer}/ must not import src/${other}/. See ARCHITECTURE.md.`,
      })),
      {
        regex: '(^|/)(test|bench|scripts|media)/',
        message: `src/${layer}/ must not import from outside src.`,
      },
      {
        regex: '(extension|assemble)\\.ts$',
        message: 'Nothing imports assemble.ts: it is where the parts meet.',
      },
    ],
  };
}

/** @type {import('typescript-eslint').ConfigArray} */
const layerBlocks = Object.entries(layers).map(([layer, rule]) => ({
  files: [`src/${layer}/**/*.ts`],
  rules: { '@typescript-eslint/no-restricted-imports': ['error', restricted(layer, rule)] },
}));

/** @type {import('typescript-eslint').ConfigArray[number]} */
const mediaBlock = {
  files: ['media/**/*.ts'],
  rules: {
    '@typescript-eslint/no-restricted-imports': [
      'error',
      {
        patterns: [
          ...packages
            .filter((name) => name !== '@vscode/webview-ui-toolkit')
            .map((name) => ({ group: [name, `${name}/**`], message: `A panel must not import ${name}.` })),
          {
            regex: '^(\\.\\./)+src/(?!model/|ui/panels/[^/]+/messages\\.ts$)',
            message: "A panel imports the model and the types of its panel's messages.ts only.",
          },
          {
            regex: '^(\\.\\./)+src/ui/panels/[^/]+/messages\\.ts$',
            allowTypeImports: true,
            message: 'A panel imports its messages.ts as types only.',
          },
        ],
      },
    ],
  },
};

/** @type {import('typescript-eslint').ConfigArray[number]} */
const toolkitOnce = {
  files: ['media/**/toolkit.ts'],
  rules: { '@typescript-eslint/no-restricted-imports': 'off' },
};

export default tseslint.config(
  { ignores: ['node_modules/', 'dist/', '.vscode-test/', 'test-results/', '**/*.cjs'] },
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },
  eslint.configs.recommended,
  tseslint.configs.strictTypeChecked,
  tseslint.configs.stylisticTypeChecked,
  { languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } } },
  {
    rules: {
      complexity: ['error', 14],
      'max-lines': ['error', 320],
      'no-promise-executor-return': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
    },
  },
  {
    files: ['test/**/*.ts', 'bench/**/*.ts'],
    // node:test's `test()` and `describe()` return promises that the runner itself awaits.
    rules: {
      '@typescript-eslint/no-floating-promises': [
        'error',
        {
          allowForKnownSafeCalls: [
            { from: 'package', name: ['test', 'describe', 'it', 'suite'], package: 'node:test' },
          ],
        },
      ],
    },
  },
  {
    files: ['**/*.mjs'],
    ...tseslint.configs.disableTypeChecked,
    languageOptions: {
      globals: {
        process: 'readonly',
        console: 'readonly',
        fetch: 'readonly',
        URL: 'readonly',
        setTimeout: 'readonly',
      },
    },
  },
  ...layerBlocks,
  mediaBlock,
  toolkitOnce,
);
