/** A keyed order whose first answer came so late that the ledger no longer knows the key: what asking again may do. */
import { describe, expect, test } from '@jest/globals'
import { withSender } from '@bourse/common/kernel/command.ts'
import { OUTSIDE, type Machine } from '@bourse/common/kernel/machine.ts'
import { customerAccountKey } from '@bourse/risk-rules/ledger/accounts.ts'
import { encodeLedgerCommand } from '@bourse/risk-rules/ledger/codec.ts'
import { decodeLedgerOutcome } from '@bourse/risk-rules/ledger/outcomes.ts'
import { balancesQuestion, decodeBalances } from '@bourse/risk-rules/ledger/queries.ts'
import { encodeSpec } from '@bourse/risk-rules/trading/codec.ts'
import { deposit, MACHINES as ledgers } from './ledger-support.ts'
import { close, codeOf, idOf, LEDGER, machines as markets, open, spec, START, tick, units } from './trading-kit.ts'
import type { OpenWords } from './trading-kit.ts'

const TRADING = 0x2000100
const WINDOW_MS = 600_000n
const ann = idOf('ann')
const words: OpenWords = { id: 'one', margin: '100', leverage: 10, price: '50000' }

/** A ledger and a market that hear each other's effects when they are carried. */
const platform = (ledger: Machine, trading: Machine) => {
  const apply = (machine: Machine, now: bigint, ...commands: Uint8Array[]) =>
    machine.apply(commands, now, machine.behaviourVersion)
  /** Carries effects to and fro until none is left. */
  const carry = (from: Machine, bytes: readonly Uint8Array[], now: bigint): void => {
    if (bytes.length === 0) return
    const [to, sender] = from === ledger ? [trading, LEDGER] : [ledger, TRADING]
    const { effects } = apply(to, now, ...bytes.map((one, index) => withSender(one, sender, BigInt(index + 1))))
    const onward = effects.filter((effect) => effect.to === TRADING || effect.to === LEDGER)
    carry(
      to,
      onward.map((effect) => effect.bytes),
      now,
    )
  }
  const order = (now: bigint, changes: Partial<OpenWords> = {}) => {
    const slip = open({ ...words, ...changes })
    const key = customerAccountKey(ann, 'USDC')
    const legs = [units('100'), units('1')].map((amount) => ({ ...key, amount }))
    const id = { id: idOf(words.id), requestHash: idOf(changes.hash ?? `hash of ${words.id}`) }
    const command = encodeLedgerCommand(id, { kind: 'HOLD', legs, slip: { target: TRADING, command: slip } })
    const { outcomes, effects } = apply(ledger, now, command)
    expect(effects.every(({ to }) => to !== OUTSIDE)).toBe(true)
    return { code: decodeLedgerOutcome(outcomes[0]!).code, slips: effects.map(({ bytes }) => bytes) }
  }
  apply(ledger, START, encodeLedgerCommand({}, deposit(ann, units('1000'))))
  apply(trading, START, encodeSpec(spec), tick('50000'))
  return {
    order,
    carry: (slips: readonly Uint8Array[], now: bigint) => carry(ledger, slips, now),
    close: (now: bigint) => {
      const { outcomes, effects } = apply(trading, now, close(1n, '50000', { at: now }))
      carry(
        trading,
        effects.map(({ bytes }) => bytes),
        now,
      )
      return codeOf(outcomes[0]!)
    },
    locked: () => decodeBalances(ledger.query(balancesQuestion(ann)).bytes)[0]?.locked,
  }
}

describe.each(ledgers.map(([name, ledger], index) => [name, ledger, markets[1 - index]![1]] as const))(
  'A key that the ledger has forgotten (%s)',
  (_name, makeLedger, makeTrading) => {
    const late = START + WINDOW_MS + 1n

    test('is no conflict while its order waits for the market, and holds nothing twice', () => {
      const { order, carry, locked } = platform(makeLedger(), makeTrading())
      const { code, slips } = order(START)
      expect(code).toBe('OK')
      expect(order(late)).toEqual({ code: 'UNAVAILABLE', slips: [] })
      carry(slips, late)
      expect(locked()).toBe(0n)
      expect(order(late).code).toBe('OK')
    })

    test('leaves nothing locked when the order was refused in the meantime', () => {
      const { order, carry, locked } = platform(makeLedger(), makeTrading())
      carry(order(START).slips, late)
      expect(locked()).toBe(0n)
      const again = order(late)
      expect(again.code).toBe('OK')
      expect(locked()).toBe(units('101'))
      carry(again.slips, late)
      expect(locked()).toBe(0n)
    })

    test('leaves nothing locked when its trade is closed, asked by the same request or by another', () => {
      for (const hash of [undefined, 'other']) {
        const { order, carry, close, locked } = platform(makeLedger(), makeTrading())
        carry(order(START, { at: late }).slips, late)
        expect(locked()).toBe(units('100'))
        expect(order(late, { at: late }).code).toBe('UNAVAILABLE')
        expect(close(late)).toBe('OK')
        expect(locked()).toBe(0n)
        carry(order(late, hash === undefined ? {} : { hash }).slips, late)
        expect(locked()).toBe(0n)
      }
    })
  },
)
