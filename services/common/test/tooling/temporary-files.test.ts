import { mkdtempSync, realpathSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { spawnSync } from 'node:child_process'
import { expect, test } from '@jest/globals'

test("a test file's temporary files lie in a folder of its own", () => {
  expect(basename(tmpdir())).toMatch(/^bourse-test-/)
  expect(dirname(mkdtempSync(join(tmpdir(), 'left-behind-')))).toBe(tmpdir())
})

test.each([
  ['by default', undefined],
  ['told of', { ...process.env }],
])('so do those of a process it starts, its environment %s', (_, env) => {
  const script = "process.stdout.write(require('node:os').tmpdir())"
  const { stdout } = spawnSync(process.execPath, ['-e', script], {
    encoding: 'utf8',
    ...(env === undefined ? {} : { env }),
  })
  expect(realpathSync(stdout)).toBe(realpathSync(tmpdir()))
})
