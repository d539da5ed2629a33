import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { partitionNumber } from '@bourse/common/kernel/partition.ts'
import { formatAmount, parseAmount } from '@bourse/common/money/amount.ts'
import { ledgerEntryModel, ledgerTransactionModel } from '@bourse/common/views/models.ts'
import { insurancePartitionOf, transactionTypes } from '@bourse/risk-rules/ledger/accounts.ts'
import { hexOf } from '@bourse/common/platform/identity.ts'
import { correctedReference } from '../src/client/ledger-client.ts'
import { BTC, codeOf, keyed, openPlatform, topology, unkeyed, userAt, valueOf } from '../../trading/test/support.ts'
import type { Platform } from '../../trading/test/support.ts'

const units = parseAmount
let platform: Platform
const ann = userAt(0)
const bob = userAt(1)
beforeEach(async () => {
  platform = await openPlatform()
})
// Every test ends with all journals verified, every currency zero-sum, clearing at 0 and every hold a margin.
afterEach(() => platform.end())

const adjusted = async (owner: Uint8Array, amount: string, identity = unkeyed()) =>
  platform.ledger.adjust(identity, owner, 'USDC', units(amount), 'a reference')
const entriesOf = async (transaction: string) => {
  await platform.settled()
  const entries = await platform.views.find(ledgerEntryModel, {
    filter: { transaction },
    ...{ sortBy: 'order', direction: 'ascending', limit: 100 },
  })
  return entries.map(({ owner, accountKind, amount }) => ({ owner, accountKind, amount: formatAmount(amount) }))
}

describe('accounts', () => {
  test('are opened once, with the grant at creation alone', async () => {
    const { ledger } = platform
    expect(codeOf(await ledger.balances(ann))).toBe('ACCOUNT_NOT_FOUND')
    expect(valueOf(await ledger.openAccount(keyed('a'), ann, 'USDC', units('1000')))).toEqual({ existed: false })
    expect(valueOf(await ledger.openAccount(keyed('b'), ann, 'USDC', units('1000')))).toEqual({ existed: true })
    expect(valueOf(await ledger.openAccount(unkeyed(), bob, 'USDC', 0n))).toEqual({ existed: false })
    expect(await platform.money(ann)).toEqual({ balance: '1000', locked: '0' })
    expect(await platform.money(bob)).toEqual({ balance: '0', locked: '0' })
    expect(await platform.system('promotion')).toBe('-1000')
  })

  test('balances tell what is locked, and only the owner’s own', async () => {
    await platform.fund(ann, '1000')
    await platform.fund(bob, '5')
    valueOf(await platform.open(ann))
    const [only, ...others] = valueOf(await platform.ledger.balances(ann))
    expect([only?.currency, only?.locked, others]).toEqual(['USDC', units('100'), []])
  })
})

describe('credits and debits', () => {
  test('move money between the customer and the capital, and are entries with the balance after', async () => {
    await platform.fund(ann, '10')
    const { transactionId } = valueOf(await adjusted(ann, '2.5'))
    valueOf(await adjusted(ann, '-12.5'))
    expect(await platform.money(ann)).toEqual({ balance: '0', locked: '0' })
    expect(await platform.system('bank', 'capital')).toBe('10')
    const amounts = (await entriesOf(transactionId)).map(({ accountKind, amount }) => [accountKind, amount])
    expect(amounts).toEqual([
      [1, '2.5'],
      [10, '-2.5'],
    ])
    const transaction = await platform.views.get(ledgerTransactionModel, transactionId)
    expect(transaction).toMatchObject({ transactionType: transactionTypes.CREDIT })
  })

  test('take no more than is there, and nothing that is locked', async () => {
    await platform.fund(ann, '200')
    expect(codeOf(await adjusted(ann, '-200.00000001'))).toBe('INSUFFICIENT_FUNDS')
    valueOf(await platform.open(ann))
    // 100 are locked and 0.5 went to fees.
    await platform.settled()
    expect(codeOf(await adjusted(ann, '-99.50000001'))).toBe('INSUFFICIENT_FUNDS')
    valueOf(await adjusted(ann, '-99.5'))
    expect(await platform.money(ann)).toEqual({ balance: '100', locked: '100' })
    expect(codeOf(await adjusted(bob, '-1'))).toBe('ACCOUNT_NOT_FOUND')
  })

  test('with a key happen once, also after the machines forgot; another request with the key is refused', async () => {
    await platform.fund(ann, '10')
    const first = valueOf(await adjusted(ann, '1', keyed('k')))
    const tooMuch = await adjusted(ann, '-100', keyed('t'))
    expect(codeOf(tooMuch)).toBe('INSUFFICIENT_FUNDS')
    valueOf(await adjusted(ann, '500'))
    for (let pass = 0; pass < 2; pass++) {
      expect(valueOf(await adjusted(ann, '1', keyed('k')))).toEqual(first)
      expect(codeOf(await adjusted(ann, '-100', keyed('t')))).toBe('INSUFFICIENT_FUNDS')
      expect(codeOf(await adjusted(ann, '2', keyed('k', 'other')))).toBe('IDEMPOTENCY_CONFLICT')
      expect((await platform.money(ann)).balance).toBe('511')
      if (pass === 0) await platform.forgetIds()
    }
    platform.dials.viewsAreFresh = () => false
    expect(codeOf(await adjusted(ann, '1', keyed('k')))).toBe('UNAVAILABLE')
    valueOf(await adjusted(ann, '1'))
  })
})

describe('capital', () => {
  test.each([['100.00000001'], ['0.00000001'], ['7']])(
    '%s for the house arrives in parts that add up',
    async (amount) => {
      const { ledger } = platform
      const { transactionIds } = valueOf(await ledger.fund(keyed('f'), 'house', BTC, units(amount)))
      expect(transactionIds).toHaveLength(units(amount) === 1n ? 1 : 2)
      expect(await platform.system('house', BTC)).toBe(amount)
      expect(await platform.system('bank', 'capital')).toBe(`-${amount}`)
      const parts = await Promise.all(transactionIds.map(async (id) => (await entriesOf(id))[1]!.amount))
      const [first = 0n, second = 0n] = parts.map(units)
      expect(first - second === 0n || first - second === 1n).toBe(true)
      expect(valueOf(await ledger.fund(keyed('f'), 'house', BTC, units(amount))).transactionIds).toEqual(transactionIds)
      expect(await platform.system('house', BTC)).toBe(amount)
    },
  )

  test('for the insurance goes to the one partition that has it', async () => {
    const { transactionIds } = valueOf(await platform.ledger.fund(unkeyed(), 'insurance', BTC, units('30')))
    const partition = partitionNumber('ledger', insurancePartitionOf(BTC, topology.ledgerPartitions))
    expect(transactionIds.map((id) => Number(id.split(':')[0]))).toEqual([partition])
    expect(await platform.system('insurance', BTC)).toBe('30')
  })
})

describe('a correction', () => {
  test('books the exact opposite as a new transaction that names the one it corrects', async () => {
    await platform.fund(ann, '10')
    const { transactionId } = valueOf(await adjusted(ann, '2.5'))
    const before = await entriesOf(transactionId)
    const correction = valueOf(await platform.ledger.correct(keyed('c'), transactionId))
    const opposite = before.map((entry) => ({ ...entry, amount: formatAmount(-units(entry.amount)) }))
    expect(await entriesOf(correction.transactionId)).toEqual(opposite)
    expect(await entriesOf(transactionId)).toEqual(before)
    expect(await platform.money(ann)).toEqual({ balance: '10', locked: '0' })
    const [partition = '', number = ''] = transactionId.split(':')
    expect(await platform.views.get(ledgerTransactionModel, correction.transactionId)).toMatchObject({
      transactionType: transactionTypes.CORRECTION,
      reference: hexOf(correctedReference(Number(partition), BigInt(number))),
    })
    expect(valueOf(await platform.ledger.correct(keyed('c'), transactionId))).toEqual(correction)
    const twice = await platform.ledger.correct(keyed('another'), transactionId)
    expect(twice).toMatchObject({ ok: false, refusal: { code: 'IDEMPOTENCY_CONFLICT' } })
    expect((await platform.money(ann)).balance).toBe('10')
  })

  test('is booked once when two ask for it at once, and both hear their own answer again', async () => {
    await platform.fund(ann, '10')
    const { transactionId } = valueOf(await adjusted(ann, '2.5'))
    await platform.settled()
    const both = ['one', 'other'].map((key) => platform.ledger.correct(keyed(key), transactionId))
    const codes = (await Promise.all(both)).map(codeOf)
    expect(codes.filter((code) => code === 'OK')).toHaveLength(1)
    await platform.settled()
    const again = ['one', 'other'].map((key) => platform.ledger.correct(keyed(key), transactionId))
    const clear = codes.map((code) => (code === 'OK' ? 'OK' : 'IDEMPOTENCY_CONFLICT'))
    expect((await Promise.all(again)).map(codeOf)).toEqual(clear)
    expect((await platform.money(ann)).balance).toBe('10')
  })

  test('that was refused stands in nobody’s way, and its key is no other correction’s', async () => {
    await platform.fund(ann, '10')
    const { transactionId } = valueOf(await adjusted(ann, '2.5'))
    const other = valueOf(await adjusted(ann, '1')).transactionId
    valueOf(await adjusted(ann, '-13'))
    await platform.settled()
    expect(codeOf(await platform.ledger.correct(keyed('poor'), transactionId))).toBe('INSUFFICIENT_FUNDS')
    valueOf(await adjusted(ann, '5'))
    await platform.settled()
    expect(codeOf(await platform.ledger.correct(keyed('rich'), transactionId))).toBe('OK')
    expect(codeOf(await platform.ledger.correct(keyed('poor'), transactionId))).toBe('INSUFFICIENT_FUNDS')
    expect(codeOf(await platform.ledger.correct(keyed('rich', 'other body'), other))).toBe('IDEMPOTENCY_CONFLICT')
    expect((await platform.money(ann)).balance).toBe('3')
  })

  test('of a trade’s fee gives it back from fees', async () => {
    await platform.fund(ann, '1000')
    valueOf(await platform.open(ann))
    await platform.settled()
    const [fee] = await platform.views.find(ledgerTransactionModel, {
      filter: {},
      ...{ sortBy: 'atMs', direction: 'descending', limit: 1 },
    })
    valueOf(await platform.ledger.correct(unkeyed(), fee!._id))
    expect(await platform.money(ann)).toEqual({ balance: '1000', locked: '100' })
    expect(await platform.system('fees')).toBe('0')
  })

  test('refuses what moves money between partitions, what is not there, and what the customer has spent', async () => {
    const insurance = insurancePartitionOf(BTC, topology.ledgerPartitions)
    const trader = userAt(1 - insurance)
    await platform.fund(trader, '1000')
    valueOf(await platform.open(trader, { margin: units('100'), leverage: 10 }))
    await platform.quote(BTC, '90.36')
    await platform.settled()
    const clearing = await platform.views.find(ledgerEntryModel, {
      filter: {},
      ...{ sortBy: 'order', direction: 'ascending', limit: 100 },
    })
    const moved = new Set(clearing.filter(({ accountKind }) => accountKind === 8).map(({ transaction }) => transaction))
    expect(moved.size).toBe(2)
    for (const id of moved) {
      const refused = await platform.ledger.correct(unkeyed(), id)
      expect(refused).toMatchObject({ refusal: { code: 'VALIDATION_ERROR' } })
    }
    expect(codeOf(await platform.ledger.correct(unkeyed(), '16777216:999'))).toBe('TRANSACTION_NOT_FOUND')
    const { transactionId } = valueOf(await adjusted(trader, '5'))
    valueOf(await adjusted(trader, '-904.5'))
    await platform.settled()
    expect(codeOf(await platform.ledger.correct(unkeyed(), transactionId))).toBe('INSUFFICIENT_FUNDS')
    expect(await platform.money(trader)).toEqual({ balance: '0', locked: '0' })
  })
})
