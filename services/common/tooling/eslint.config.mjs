/** ESLint for every workspace: types, promises, and where clock, chance, timers and the outside world may be used. */
import { join } from 'node:path'
import js from '@eslint/js'
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

const PRODUCT = ['services/*/src/**/*.ts', 'risk-rules/src/**/*.ts']
/** Where time and chance come from, and the roots that wire it in. */
const OUTER = ['services/common/src/adapters/**', 'services/common/src/testkit/**', '**/main.ts', '**/commands/**']

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
    files: ['**/*.ts', '**/*.mjs'],
    ignores: [ASSEMBLY],
    plugins: { '@typescript-eslint': tseslint.plugin },
    rules: SYNTAX_RULES,
  },
  {
    files: ['**/*.ts'],
    ignores: [ASSEMBLY],
    languageOptions: {
      parser: tseslint.parser,
      parserOptions: { project: [join(root, 'services/common/tooling/tsconfig.lint.json')], tsconfigRootDir: root },
    },
    rules: TYPED_RULES,
  },
  {
    files: [ASSEMBLY],
    languageOptions: { parser: tseslint.parser, parserOptions: { allowInvalidAST: true } },
  },
  { files: PRODUCT, ignores: [...OUTER, ...MACHINES], rules: PORT_RULES },
  { files: MACHINES, rules: DETERMINISM_RULES },
]
