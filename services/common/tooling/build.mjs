/**
 * Builds everything that is built: the WASM machines, then the console, which holds one of them.
 *
 *   build.mjs [--check]     with --check: each twice, aside; fails when the bytes differ
 */
import { runChild } from './child.mjs'
import { inRoot, root } from './paths.mjs'
import { setup } from './setup.mjs'

const args = process.argv.slice(2)
// A check leaves the present machines alone, and the console needs one to be built from.
if (args.includes('--check')) await setup({ wasm: true })
for (const tool of ['build-wasm', 'build-console']) {
  const { code } = await runChild(process.execPath, [inRoot(`services/common/tooling/${tool}.mjs`), ...args], {
    cwd: root,
  })
  if (code !== 0) process.exitCode = code
}
