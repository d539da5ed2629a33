import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from '@jest/globals'

const script = fileURLToPath(new URL('seal-child.ts', import.meta.url))

test('sealed, each source of time, chance and network fails and is named; unsealed and removed, it works as ever', async () => {
  const { stdout } = await promisify(execFile)(process.execPath, [script])
  const { used, untouched, afterUnseal, afterRemove } = JSON.parse(stdout) as Record<string, string[]>
  expect(used).toEqual([
    'Date.now',
    'new Date()',
    'Date()',
    'performance.now',
    'Math.random',
    'setTimeout',
    'setInterval',
    'setImmediate',
    'fetch',
    'crypto.randomUUID',
    'crypto.getRandomValues',
    'crypto.randomUUID',
    'crypto.randomBytes',
  ])
  expect(untouched).toEqual(['2020-01-01T00:00:00.000Z', 'true', 'ticked'])
  expect(afterUnseal).toEqual(['number', 'number', 'string', 'waited'])
  expect(afterRemove).toEqual(['true', 'true'])
})
