/** Jest for every workspace: ESM TypeScript by type stripping, one configuration, rooted at the repository. */
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const here = (path) => fileURLToPath(new URL(path, import.meta.url))

export default {
  rootDir: here('../../..'),
  roots: ['services', 'risk-rules', 'operator', 'load'].map((name) => here(`../../../${name}`)).filter(existsSync),
  testMatch: ['**/test/**/*.test.ts'],
  testPathIgnorePatterns: ['/node_modules/'],
  modulePathIgnorePatterns: ['<rootDir>/risk-rules/build/', '<rootDir>/\\.bourse'],
  moduleFileExtensions: ['ts', 'mjs', 'js', 'json', 'node', 'wasm'],
  extensionsToTreatAsEsm: ['.ts'],
  transform: { '\\.ts$': here('./jest-transform.mjs') },
  transformIgnorePatterns: ['/node_modules/'],
  testEnvironment: here('./jest-environment.mjs'),
  setupFiles: [here('./jest-chance.mjs')],
  resetMocks: true,
  errorOnDeprecated: true,
  // A test that hangs fails; one on a machine that is busy, or that stands still for seconds, does not.
  testTimeout: 120_000,
  maxWorkers: '100%',
}
