/** Checks the types: of what runs on Node, and of the console, which runs in a browser and has its globals. */
import { runChild } from './child.mjs'
import { inRoot, root } from './paths.mjs'

for (const project of ['tsconfig.json', 'services/console/tsconfig.json']) {
  const args = [inRoot('node_modules/typescript/bin/tsc'), '-p', inRoot(project)]
  const { code } = await runChild(process.execPath, args, { cwd: root })
  if (code !== 0) process.exitCode = code
}
