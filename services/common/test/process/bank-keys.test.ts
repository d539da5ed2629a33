import { createHash } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { openSqliteDirectory } from '../../src/adapters/embedded/directory.ts'
import type { Directory } from '../../src/ports/directory.ts'
import { putBankKey } from '../../src/process/bank-keys.ts'
import { createManualClock } from '../../src/testkit/manual-clock.ts'

const hashOf = (key: string): string => createHash('sha256').update(key).digest('hex')

let folder: string
let directory: Directory
const clock = createManualClock(1_000)
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bank-keys-'))
  directory = openSqliteDirectory({ path: join(folder, 'directory.sqlite'), clock })
})
afterEach(async () => {
  await directory.close()
  await rm(folder, { recursive: true })
})

describe("a bank's configured key", () => {
  test('keeps the moment since which it is known over every later start', async () => {
    const bornMs = clock.nowMs()
    await putBankKey({ directory, clock }, 'demo', 'first')
    clock.jump(86_400_000)
    await putBankKey({ directory, clock }, 'demo', 'first')
    expect(await directory.bankKeys()).toEqual([
      { bank: 'demo', keyHash: hashOf('first'), createdAtMs: bornMs, expiresAtMs: null },
    ])
  })

  test('is replaced by another one, which is as new as it is; other banks keep theirs', async () => {
    await putBankKey({ directory, clock }, 'demo', 'first')
    await putBankKey({ directory, clock }, 'other', 'theirs')
    clock.jump(5_000)
    await putBankKey({ directory, clock }, 'demo', 'second')
    expect(await directory.bankKeys()).toEqual([
      { bank: 'demo', keyHash: hashOf('second'), createdAtMs: clock.nowMs(), expiresAtMs: null },
      { bank: 'other', keyHash: hashOf('theirs'), createdAtMs: expect.any(Number), expiresAtMs: null },
    ])
  })
})
