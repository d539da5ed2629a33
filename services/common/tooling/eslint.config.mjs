/** ESLint for every workspace: types, promises, and where clock, chance, timers and the outside world may be used. */
import { join } from 'node:path'
import js from '@eslint/js'
import reactHooks from 'eslint-plugin-react-hooks'
import tseslint from 'typescript-eslint'
import { DETERMINISM_RULES, PORT_RULES } from './eslint-determinism.mjs'

/** Paths below are from the folder eslint runs in: the repository's root, or a test's copy of its tree. */
const root = process.cwd()

/** Code that must give the same bytes for the same input: state machines, their references, the binary headers. */
const MACHINES = [
  'services/*/src/machine/**/*.ts',
  'services/common/src/kernel/{command,outcome,record,machine,partition,partition-state}.ts',
  'risk-rules/{assembly,reference}/**/*.ts',
]

/** AssemblyScript is not TypeScript: it is parsed, with decorators on functions, but has no types here. */
const ASSEMBLY = 'risk-rules/assembly/**/*.ts'

const PRODUCT = ['services/*/src/**/*.ts', 'risk-rules/src/**/*.ts', 'operator/src/**/*.ts']
/** Where time and chance come from, and the roots that wire it in. */
const OUTER = [
  'services/common/src/adapters/**',
  'services/common/src/testkit/**',
  '**/main.ts',
  '**/commands/**',
  // What others run in their own programs, and what runs in a person's browser.
  'services/client/**',
  'services/console/**',
]

const TYPED_RULES = {
  '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'separate-type-imports' }],
  '@typescript-eslint/no-floating-promises': 'error',
  '@typescript-eslint/no-misused-promises': 'error',
  '@typescript-eslint/await-thenable': 'error',
  '@typescript-eslint/only-throw-error': 'error',
  '@typescript-eslint/prefer-promise-reject-errors': 'error',
  '@typescript-eslint/switch-exhaustiveness-check': 'error',
  '@typescript-eslint/no-unnecessary-type-assertion': 'error',
}

const SYNTAX_RULES = {
  '@typescript-eslint/no-explicit-any': 'error',
  '@typescript-eslint/no-unused-vars': [
    'error',
    { argsIgnorePattern: '^_', varsIgnorePattern: '^_', caughtErrors: 'all', ignoreRestSiblings: true },
  ],
  '@typescript-eslint/no-require-imports': 'error',
  'no-unused-vars': 'off',
  'no-undef': 'off',
  'no-console': 'error',
  'no-eval': 'error',
  'no-new-func': 'error',
  'no-var': 'error',
  'prefer-const': 'error',
  eqeqeq: 'error',
}

export default [
  { ignores: ['**/node_modules/**', '**/build/**', '**/coverage/**', '**/generated/**', '.bourse*/**'] },
  { linterOptions: { reportUnusedDisableDirectives: 'error', noInlineConfig: true } },
  { ...js.configs.recommended, ignores: [ASSEMBLY] },
  {
    files: ['**/*.ts', '**/*.tsx', '**/*.mjs'],
    ignores: [ASSEMBLY],
    plugins: { '@typescript-eslint': tseslint.plugin },
    rules: SYNTAX_RULES,
  },
  {
    files: ['**/*.ts', '**/*.tsx'],
    ignores: [ASSEMBLY],
    languageOptions: {
      parser: tseslint.parser,
      parserOptions: {
        project: [
          join(root, 'services/common/tooling/tsconfig.lint.json'),
          join(root, 'services/console/tsconfig.json'),
        ],
        tsconfigRootDir: root,
      },
    },
    rules: TYPED_RULES,
  },
  {
    // A service worker: what a browser gives it, and no types.
    files: ['services/console/public/sw.js'],
    languageOptions: {
      globals: Object.fromEntries(
        ['self', 'caches', 'fetch', 'Request', 'Response', 'URL', 'setTimeout', 'clearTimeout'].map((name) => [
          name,
          'readonly',
        ]),
      ),
    },
  },
  {
    files: ['services/console/src/**/*.{ts,tsx}'],
    plugins: { 'react-hooks': reactHooks },
    rules: { 'react-hooks/rules-of-hooks': 'error', 'react-hooks/exhaustive-deps': 'error' },
  },
  {
    files: [ASSEMBLY],
    languageOptions: { parser: tseslint.parser, parserOptions: { allowInvalidAST: true } },
  },
  { files: PRODUCT, ignores: [...OUTER, ...MACHINES], rules: PORT_RULES },
  { files: MACHINES, rules: DETERMINISM_RULES },
]
