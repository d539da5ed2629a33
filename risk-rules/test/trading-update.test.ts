/** What changing an open trade's stops promises, on both machines. */
import { describe, expect, test } from '@jest/globals'
import { outcomeBodyOf } from '@bourse/common/kernel/outcome.ts'
import { decodeInstruction, encodeLedgerCommand } from '@bourse/risk-rules/ledger/codec.ts'
import { decodeLedgerOutcome } from '@bourse/risk-rules/ledger/outcomes.ts'
import {
  decodeOpenOutcome,
  decodeTickOutcome,
  decodeTradeEvent,
  decodeTradesAnswer,
  decodeUpdateKept,
  decodeUpdateOutcome,
  encodeOutcomeOf,
  encodeSpec,
  encodeState,
  encodeTradeQuery,
  encodeUpdate,
  marketStates,
} from '@bourse/risk-rules/trading/codec.ts'
import { deposit, MACHINES as ledgers } from './ledger-support.ts'
import { close, codeOf, idOf, LEDGER, machines, open, spec, START, tick, units, update } from './trading-kit.ts'
import type { OpenWords, UpdateWords } from './trading-kit.ts'

const usual: OpenWords = { id: 'one', margin: '100', leverage: 10, price: '50000', stopLoss: '49000' }

describe.each(machines)('an UPDATE (%s)', (_name, create) => {
  const market = (changes: Partial<OpenWords> = {}) => {
    let machine = create()
    machine.apply([encodeSpec(spec), tick('50000')], START, machine.behaviourVersion)
    const tell = (command: Uint8Array, now = START, behaviour = machine.behaviourVersion) => {
      const { outcomes, effects } = machine.apply([command], now, behaviour)
      const told = effects.map(({ to, bytes }) => ({ to, ...decodeInstruction(bytes) }))
      return { outcome: outcomes[0]!, code: codeOf(outcomes[0]!), effects: told }
    }
    const opened = decodeOpenOutcome(tell(open({ ...usual, ...changes })).outcome)
    const trade = () => decodeTradesAnswer(machine.query(encodeTradeQuery(1n)).bytes).trades[0]
    return {
      machine: () => machine,
      tell,
      opened,
      trade,
      stops: () => [trade()?.stopLoss, trade()?.takeProfit],
      updated: (words: UpdateWords, price = '50000') => tell(update(1n, price, words)),
      fired: (price: string) =>
        decodeTickOutcome(tell(tick(price)).outcome).closed.map(({ tradeNumber, reason }) => [tradeNumber, reason]),
      restart: () => {
        const next = create()
        next.restore(machine.snapshot())
        expect(next.stateHash()).toBe(machine.stateHash())
        machine = next
      },
    }
  }

  test('answers the trade with its new stops, and tells the owner’s ledger, which books nothing for it', () => {
    const { updated, opened, stops, trade } = market()
    const { code, outcome, effects } = updated({ stopLoss: '49500', takeProfit: '51000' })
    expect(code).toBe('OK')
    const after = { ...opened, stopLoss: units('49500'), takeProfit: units('51000') }
    expect(decodeUpdateOutcome(outcome)).toEqual({ ...after, updatedAt: START })
    expect(stops()).toEqual([units('49500'), units('51000')])
    expect(trade()).toEqual(after)
    expect(effects).toHaveLength(1)
    expect(effects[0]).toMatchObject({ to: LEDGER, kind: 'OPEN_ACCOUNT', transactionType: 0, holds: [], slip: null })
    expect(effects[0]!.legs).toEqual([
      { owner: Buffer.from(idOf('ann')), currency: 'USDC', kind: 'customer', amount: 0n },
    ])
    expect(decodeTradeEvent(effects[0]!.memo)).toEqual({ type: 'updated', trade: after })
  })

  test.each([
    ['LONG', '49000', '48000', ['48999', '48000.01'], '48000'],
    ['LONG', '48000', '49000', ['49000.01'], '49000'],
    ['SHORT', '51000', '52000', ['51001', '51999.99'], '52000'],
    ['SHORT', '52000', '51000', ['50999.99'], '51000'],
  ] as const)(
    'of a %s from stop %s to %s: the old one fires no more, the new one does',
    (direction, from, to, quiet, at) => {
      const { machine, updated, fired } = market({ direction, stopLoss: from })
      expect(updated({ stopLoss: to }).code).toBe('OK')
      for (const price of quiet) {
        expect(machine().wouldTrigger(units(price), units(price), START)).toBe(false)
        expect(fired(price)).toEqual([])
      }
      expect(machine().wouldTrigger(units(at), units(at), START)).toBe(true)
      expect(fired(at)).toEqual([[1n, 1]])
    },
  )

  test('of a target: the old one fires no more, the new one does', () => {
    const { updated, fired } = market({ takeProfit: '51000' })
    expect(updated({ takeProfit: '52000' }).code).toBe('OK')
    expect(fired('51500')).toEqual([])
    expect(fired('52000')).toEqual([[1n, 2]])
  })

  test('takes away what is told to be none, keeps what is not told, and a restored machine has it so', () => {
    const { updated, stops, fired, restart } = market({ takeProfit: '51000' })
    expect(updated({ stopLoss: 'none' }).code).toBe('OK')
    expect(stops()).toEqual([0n, units('51000')])
    restart()
    expect(fired('48000')).toEqual([])
    expect(updated({ stopLoss: '47000' }, '48000').code).toBe('OK')
    restart()
    expect(stops()).toEqual([units('47000'), units('51000')])
    expect(fired('47000')).toEqual([[1n, 1]])
  })

  test('judges only what it sets, at the quote of now, stop before target', () => {
    const { updated, stops, tell } = market({ takeProfit: '51000' })
    expect(updated({ stopLoss: '50000' }).code).toBe('INVALID_STOP_LOSS')
    expect(updated({ stopLoss: '49000.005' }).code).toBe('INVALID_STOP_LOSS')
    expect(updated({ takeProfit: '50000' }).code).toBe('INVALID_TAKE_PROFIT')
    expect(updated({ takeProfit: '51000.005' }).code).toBe('INVALID_TAKE_PROFIT')
    expect(updated({ stopLoss: '50001', takeProfit: '49999' }).code).toBe('INVALID_STOP_LOSS')
    expect(updated({ stopLoss: '49999.99', takeProfit: '50000.01' }).code).toBe('OK')
    expect(stops()).toEqual([units('49999.99'), units('50000.01')])
    // The price is beyond the stop, whose tick is still to come: a target may change, the stop that stays is not judged again.
    expect(tell(update(1n, '49000', { takeProfit: '51000' })).code).toBe('OK')
    expect(tell(update(1n, '49000', { stopLoss: '49999.99' })).code).toBe('INVALID_STOP_LOSS')
  })

  test('with spread: a long’s stops are judged at the bid, a short’s at the ask', () => {
    const wide = { ...spec, spreadBps: units('200') }
    const judged = (direction: 'LONG' | 'SHORT', stopLoss: string) => {
      const { tell } = market({ direction, ...(direction === 'SHORT' ? { stopLoss: '51000' } : {}) })
      tell(encodeSpec(wide))
      return tell(update(1n, '50000', { stopLoss })).code
    }
    expect([judged('LONG', '49500'), judged('LONG', '49499.99')]).toEqual(['INVALID_STOP_LOSS', 'OK'])
    expect([judged('SHORT', '50500'), judged('SHORT', '50500.01')]).toEqual(['INVALID_STOP_LOSS', 'OK'])
  })

  test('needs an open market and a fresh price to set something, and nothing to take it away', () => {
    const { tell, stops } = market({ takeProfit: '51000' })
    const stale = START - 5_001n
    expect(tell(update(1n, '50000', { stopLoss: '48000', at: stale })).code).toBe('PRICE_STALE')
    expect(tell(update(1n, '0', { takeProfit: '52000' })).code).toBe('PRICE_STALE')
    expect(tell(update(1n, '0', { takeProfit: 'none', at: stale })).code).toBe('OK')
    tell(encodeState(marketStates.Halted))
    expect(tell(update(1n, '50000', { stopLoss: '48000' })).code).toBe('MARKET_HALTED')
    expect(tell(update(1n, '0', { stopLoss: '48000', at: stale })).code).toBe('MARKET_HALTED')
    expect(tell(update(1n, '0', { stopLoss: 'none', at: stale })).code).toBe('OK')
    expect(stops()).toEqual([0n, 0n])
    tell(encodeState(marketStates.ReduceOnly))
    expect(tell(update(1n, '50000', { stopLoss: '48000', takeProfit: '52000' })).code).toBe('OK')
  })

  test('only of what there is, of its owner, and not closed, whatever the market’s state', () => {
    const { tell, machine } = market()
    const words = { stopLoss: '48000' }
    expect(tell(update(2n, '50000', words)).code).toBe('TRADE_NOT_FOUND')
    expect(tell(update(0n, '50000', words)).code).toBe('TRADE_NOT_FOUND')
    expect(tell(update(1n, '50000', { ...words, account: 'bob' })).code).toBe('TRADE_NOT_FOUND')
    expect(tell(close(1n, '50000')).code).toBe('OK')
    const hash = machine().stateHash()
    expect(tell(update(1n, '50000', words))).toMatchObject({ code: 'TRADE_CLOSED', effects: [] })
    expect(machine().stateHash()).toBe(hash)
    tell(encodeState(marketStates.Halted))
    expect(tell(update(1n, '50000', words)).code).toBe('TRADE_CLOSED')
  })

  test('that asks for nothing, or for a price below zero, is no command', () => {
    const { tell } = market()
    const body = { account: idOf('ann'), tradeNumber: 1n, feedBid: 1n, feedAsk: 1n, quoteTime: START }
    for (const [stopLoss, takeProfit] of [
      [-1n, -1n],
      [-2n, 0n],
      [0n, -2n],
    ] as const)
      expect(tell(encodeUpdate({ ...body, stopLoss, takeProfit })).code).toBe('INVALID_COMMAND')
    expect(codeOf(create().apply([update(1n, '1', { stopLoss: '1' })], START, 3).outcomes[0]!)).toBe('MARKET_NOT_FOUND')
  })

  test('that comes again gets the first outcome and undoes nothing, whatever became of the trade since', () => {
    const { machine, tell, stops } = market()
    const first = tell(update(1n, '50000', { id: 'two', stopLoss: '48000' }))
    expect(tell(update(1n, '50000', { id: 'three', stopLoss: '47000', takeProfit: '51000' })).code).toBe('OK')
    const again = tell(update(1n, '50000', { id: 'two', stopLoss: '48000' }))
    expect([again.code, again.effects]).toEqual(['OK', []])
    expect(outcomeBodyOf(again.outcome)).toEqual(outcomeBodyOf(first.outcome).slice(0, 48))
    expect(decodeUpdateOutcome(first.outcome)).toMatchObject(decodeUpdateKept(again.outcome))
    expect(stops()).toEqual([units('47000'), units('51000')])
    const other = { id: 'two', stopLoss: '46000', hash: 'other' }
    expect(tell(update(1n, '50000', other))).toMatchObject({ code: 'IDEMPOTENCY_CONFLICT', effects: [] })
    tell(close(1n, '50000'))
    expect(decodeUpdateKept(tell(update(1n, '50000', { id: 'two', stopLoss: '48000' })).outcome)).toEqual(
      decodeUpdateKept(first.outcome),
    )
    const asked = machine().query(encodeOutcomeOf(idOf('two'), idOf('hash of two')))
    expect(decodeUpdateKept(asked.bytes)).toEqual(decodeUpdateKept(first.outcome))
  })

  test('is no command under the behaviours before it: journals of then come to what they came to', () => {
    const { machine, tell, stops } = market()
    const hash = machine().stateHash()
    for (const behaviour of [1, 2])
      expect(tell(update(1n, '50000', { id: 'two', stopLoss: '48000' }), START, behaviour)).toMatchObject({
        code: 'INVALID_COMMAND',
        effects: [],
      })
    expect([machine().stateHash(), ...stops()]).toEqual([hash, units('49000'), 0n])
    expect(tell(update(1n, '50000', { id: 'two', stopLoss: '48000' })).code).toBe('OK')
  })

  test('that trapped twice is an ENGINE_FAULT, remembered, and changes nothing', () => {
    const { machine, tell, stops } = market()
    const command = update(1n, '50000', { id: 'two', stopLoss: '48000' })
    const { outcomes, effects } = machine().apply([command], START, 3, new Set([0]))
    expect([outcomes.map(codeOf), effects]).toEqual([['ENGINE_FAULT'], []])
    expect(tell(command).code).toBe('ENGINE_FAULT')
    expect(stops()).toEqual([units('49000'), 0n])
  })
})

test.each(ledgers)(
  'the ledger (%s) takes the news of other stops and books nothing, under its first behaviour too',
  (_, make) => {
    const [, makeMarket] = machines[0]!
    const market = makeMarket()
    const batch = [encodeSpec(spec), tick('50000'), open(usual), update(1n, '50000', { stopLoss: '48000' })]
    const { effects } = market.apply(batch, START, market.behaviourVersion)
    for (const behaviour of [1, 2]) {
      const ledger = make()
      ledger.apply([encodeLedgerCommand({}, deposit(idOf('ann'), units('1000')))], START, behaviour)
      const before = ledger.stateHash()
      const told = ledger.apply([effects.at(-1)!.bytes], START, behaviour)
      expect(decodeLedgerOutcome(told.outcomes[0]!)).toMatchObject({
        code: 'OK',
        existed: true,
        transactionNumber: null,
      })
      expect([told.effects, ledger.stateHash()]).toEqual([[], before])
    }
  },
)
