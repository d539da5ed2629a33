import { mkdtemp, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { pino } from 'pino'
import { createBankHttp, SECRETS_MAX, signatureOf } from '../src/adapters/bank-http.ts'
import { createSecretFiles } from '../src/adapters/secret-files.ts'
import { createManualClock } from '@bourse/common/testkit/manual-clock.ts'

let folder: string
const lines: string[] = []
const logger = pino({ level: 'info' }, { write: (line: string) => void lines.push(line) })
beforeEach(async () => {
  lines.length = 0
  folder = await mkdtemp(join(tmpdir(), 'bourse-secrets-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

test('secrets of a bank are the lines of its file, read again when it changed, and never told', async () => {
  const secretsOf = createSecretFiles({ folder, logger })
  await writeFile(join(folder, 'demo'), 'the-newest-one\n\n  the-one-before \r\n')
  expect(await secretsOf('demo')).toEqual(['the-newest-one', 'the-one-before'])
  await writeFile(join(folder, 'demo'), 'the-third-one')
  await utimes(join(folder, 'demo'), 1, 1)
  expect(await secretsOf('demo')).toEqual(['the-third-one'])
  await writeFile(join(folder, 'demo'), Array.from({ length: 9 }, (_, index) => `secret-${index}`).join('\n'))
  expect(await secretsOf('demo')).toHaveLength(SECRETS_MAX)
  expect(lines).toHaveLength(3)
  expect(lines.join()).not.toMatch(/newest|before|third|secret-\d/)
})

test('a bank without a file, with an empty one, or with a path for a name has none; it is told once', async () => {
  const secretsOf = createSecretFiles({ folder, logger })
  expect([await secretsOf('late'), await secretsOf('late')]).toEqual([null, null])
  await writeFile(join(folder, 'late'), '\n')
  expect(await secretsOf('late')).toBeNull()
  expect(lines).toHaveLength(1)
  await writeFile(join(folder, 'late'), 'here-it-is')
  expect(await secretsOf('late')).toEqual(['here-it-is'])
  await writeFile(join(folder, '..', 'bourse-outside'), 'outside')
  expect(await secretsOf('../bourse-outside')).toBeNull()
  await rm(join(folder, '..', 'bourse-outside'))
})

test('an event is signed with all secrets, and waits while there are none', async () => {
  const sent: Readonly<Record<string, string>>[] = []
  let secrets: readonly string[] | null = null
  const callbacks = createBankHttp({
    clock: createManualClock(5_000),
    webhookSecrets: () => Promise.resolve(secrets),
    fetch: (_, { headers }) => {
      sent.push(headers)
      return Promise.resolve({ status: 200, body: null })
    },
  })
  const deliver = () =>
    callbacks.deliver({ callbackUrl: 'http://bank', timeoutMs: 100 }, 'demo', '{}', new AbortController().signal)
  expect(await deliver()).toBe(false)
  expect(sent).toEqual([])
  secrets = ['one', 'two', 'three']
  expect(await deliver()).toBe(true)
  expect(sent[0]?.['x-bourse-signature']).toBe(signatureOf(5, '{}', secrets))
})
