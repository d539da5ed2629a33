import { spawnSync } from 'node:child_process'
import { expect, test } from '@jest/globals'
import { inRoot } from '../../../common/tooling/paths.mjs'

test.each(['', 'journal', 'command', 'trade'])('npm run inspect %s --help says what there is', (command) => {
  const file = inRoot('services/observability/src/commands/inspect.ts')
  const words = command === '' ? [] : [command]
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--no-warnings', file, ...words, '--help'], {
    encoding: 'utf8',
    env: { ...process.env, NODE_OPTIONS: '' },
  })
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
  expect(stdout).toContain(`Usage: inspect ${command}`.trim())
  if (command === 'journal') expect(stdout).toContain('the first one (default: 1)')
})
