/**
 * All static checks that the compiler does not do: eslint (types, promises, determinism), the layout of the code
 * (prettier; AssemblyScript is not in its grammar), the rooms' import direction, tidiness. Prints each problem as
 * `path:line message` and ends with the number of them.
 *
 *   lint.mjs [paths for eslint]
 */
import { runChild } from './child.mjs'
import { readSourceFiles } from './files.ts'
import { inRoot, root } from './paths.mjs'
import { checkRooms } from './rooms.ts'
import { checkTidy } from './tidy.ts'

const config = ['--config', inRoot('services/common/tooling/eslint.config.mjs'), '--max-warnings=0']
const paths = process.argv.slice(2)
const eslint = [inRoot('node_modules/eslint/bin/eslint.js'), ...config, ...(paths.length > 0 ? paths : ['.'])]
const { code } = await runChild(process.execPath, eslint, { cwd: root })

const prettier = [inRoot('node_modules/prettier/bin/prettier.cjs'), '--check', '--log-level=warn', '.']
const { code: layoutCode } = await runChild(process.execPath, prettier, { cwd: root })

const files = readSourceFiles(root)
const problems = [...checkRooms(files), ...checkTidy(files)]
for (const { path, line, message } of problems) process.stdout.write(`${path}:${line} ${message}\n`)
const verdict = (exitCode) => (exitCode === 0 ? 'clean' : 'failed')
process.stdout.write(
  `eslint ${verdict(code)}, layout ${verdict(layoutCode)}, ${problems.length} problems of rooms and tidiness\n`,
)
process.exitCode = code === 0 && layoutCode === 0 && problems.length === 0 ? 0 : 1
