import { createHash } from 'node:crypto'
import { expect, test } from '@jest/globals'
import { OWNERS_KEPT_MAX, systemAccount } from '../src/ledger/accounts.ts'

const hashed = (name: string): Uint8Array =>
  new Uint8Array(createHash('sha256').update(name, 'utf8').digest().subarray(0, 16))

test('the owner of a name is its hash, asked once, again, and after more names than are kept', () => {
  const name = 'house:BTC_USDC'
  const first = systemAccount(name)
  expect([first, systemAccount(name)]).toEqual([hashed(name), hashed(name)])
  // The bytes are the caller's: what it does with them changes nobody else's.
  first.fill(0)
  expect(systemAccount(name)).toEqual(hashed(name))
  for (let index = 0; index <= OWNERS_KEPT_MAX; index++) systemAccount(`bank-user:demo:${index}`)
  expect(systemAccount(name)).toEqual(hashed(name))
})
