import {
  customerAccountKey,
  systemAccount,
  systemAccountKey,
  transactionTypes,
} from '@bourse/risk-rules/ledger/accounts.ts'
import { encodeLedgerCommand, openAccountInstruction, type Instruction } from '@bourse/risk-rules/ledger/codec.ts'
import { partitionIndexOf, type PartitionNumber } from '@bourse/common/kernel/partition.ts'
import { parseAmount } from '@bourse/common/money/amount.ts'
import {
  directions,
  encodeClose,
  encodeFunding,
  encodeOpen,
  encodeSpec,
  encodeState,
  encodeTick,
  marketStates,
  type SpecCommand,
} from '@bourse/risk-rules/trading/codec.ts'
import { feeHoldOf } from '@bourse/risk-rules/trading/quote.ts'
import { LEDGER_PARTITIONS, places } from './journals.ts'
import { tellBridge } from './bank-story.ts'
import { createGoldenWorld, idOf, type GoldenWorld } from './world.ts'

const units = parseAmount
const TRADERS = ['ann', 'bob', 'cid', 'dan', 'eve', 'fay']
const OPEN_BPS = units('5')
const FUNDING_MS = 28_800_000n

const spec = (change: Partial<SpecCommand> = {}): Uint8Array =>
  encodeSpec({
    tickSize: units('0.01'),
    lotSize: units('0.00001'),
    minMargin: units('1'),
    maxNotional: units('1000000'),
    maxNetNotional: units('5000000'),
    maxOpenTrades: 20,
    maxLeverage: 100,
    openBps: OPEN_BPS,
    closeBps: units('5'),
    liquidationBps: units('50'),
    spreadBps: units('2'),
    fundingRateBps: units('1'),
    fundingCapBps: units('75'),
    maxAgeMs: 5_000n,
    fundingIntervalSeconds: 28_800,
    state: marketStates.Open,
    quoteCurrency: 'USDC',
    house: systemAccount('house:BTC_USDC'),
    fees: systemAccount('fees'),
    clearing: systemAccount('clearing'),
    insurance: systemAccount('insurance:BTC_USDC'),
    insurancePartition: places.ledgers[1],
    marketNumber: 1,
    partitionIndex: 0,
    capacity: 100,
    tiers: [
      { floor: 0n, rate: units('0.004'), maxLeverage: 100 },
      { floor: units('250000'), rate: units('0.01'), maxLeverage: 50 },
    ],
    ...change,
  })

const ledgerOf = (owner: Uint8Array): PartitionNumber => places.ledgers[partitionIndexOf(owner, LEDGER_PARTITIONS)]!

/** Tells a ledger something under a name that gives its id. */
const tellLedger = (world: GoldenWorld, ledger: PartitionNumber, name: string, instruction: Instruction): void =>
  world.send(ledger, encodeLedgerCommand({ id: idOf(name), requestHash: idOf(name) }, instruction))

const createTrader = (world: GoldenWorld) => {
  let price = '60000'
  const feed = () => ({ feedBid: units(price), feedAsk: units(price), quoteTime: world.now() })
  const open = (
    name: string,
    trader: string,
    margin: string,
    leverage: number,
    more: { short?: boolean; stop?: string; target?: string } = {},
  ): void => {
    const account = idOf(trader)
    const [identity, amount] = [{ id: idOf(name), requestHash: idOf(`${name} ${margin}`) }, units(margin)]
    const slip = encodeOpen(
      {
        account,
        ledgerPartition: ledgerOf(account),
        direction: more.short === true ? directions.SHORT : directions.LONG,
        leverage,
        margin: amount,
        stopLoss: units(more.stop ?? '0'),
        takeProfit: units(more.target ?? '0'),
        worstPrice: 0n,
        openBps: OPEN_BPS,
        ...feed(),
      },
      identity,
    )
    const customer = customerAccountKey(account, 'USDC')
    const legs = [
      { ...customer, amount },
      { ...customer, amount: feeHoldOf(amount, leverage, OPEN_BPS) },
    ]
    const hold: Instruction = { kind: 'HOLD', legs, slip: { target: places.trading, command: slip } }
    world.send(ledgerOf(account), encodeLedgerCommand(identity, hold))
  }
  return {
    open,
    close: (number: bigint, trader: string): void =>
      world.send(
        places.trading,
        encodeClose({ account: idOf(trader), tradeNumber: number, worstPrice: 0n, ...feed() }),
      ),
    /** The price moves on; a tick is journaled whether it triggers or not. */
    tick: (next: string): void => {
      const previous = units(price)
      price = next
      world.later(250n)
      world.send(places.trading, encodeTick({ ...feed(), previousBid: previous, previousAsk: previous }))
    },
    funding: (dueTime: bigint): void =>
      world.send(places.trading, encodeFunding({ dueTime, feedBid: units(price), feedAsk: units(price) })),
  }
}

const tellTrading = (world: GoldenWorld): void => {
  const started = world.now()
  world.send(places.trading, spec())
  for (const trader of TRADERS) {
    const account = customerAccountKey(idOf(trader), 'USDC')
    tellLedger(
      world,
      ledgerOf(idOf(trader)),
      `account of ${trader}`,
      openAccountInstruction(account, units('10000'), transactionTypes.OPEN_ACCOUNT),
    )
  }
  const insurance = systemAccountKey('insurance', 'USDC', 'BTC_USDC')
  const capital = systemAccountKey('promotion', 'USDC')
  const moved = (amount: string) => [
    { ...insurance, amount: units(amount) },
    { ...capital, amount: -units(amount) },
  ]
  tellLedger(world, places.ledgers[1], 'fund', {
    kind: 'POST',
    transactionType: transactionTypes.FUND_INSURANCE,
    legs: moved('50'),
  })
  tellLedger(world, places.ledgers[1], 'correct', {
    kind: 'CORRECTION',
    transactionType: transactionTypes.CORRECTION,
    reference: idOf('fund'),
    legs: moved('-1.5'),
  })
  const { open, close, tick, funding } = createTrader(world)
  open('o1', 'ann', '1000', 10)
  open('o2', 'bob', '500.00000001', 100, { short: true })
  open('o3', 'cid', '100', 50, { stop: '59500', target: '61000' })
  open('o4', 'dan', '100', 50, { short: true, stop: '60500', target: '59000' })
  open('o5', 'eve', '2000', 100)
  open('o5', 'eve', '2000', 100)
  open('o5', 'eve', '2001', 100)
  open('o6', 'fay', '20000', 2)
  open('o7', 'fay', '100', 101)
  open('o8', 'fay', '0.5', 2)
  open('o9', 'fay', '100', 2, { stop: '70000' })
  tick('60010')
  tick('60650')
  tick('59400')
  open('o10', 'fay', '10', 1)
  close(1n, 'ann')
  close(1n, 'ann')
  close(2n, 'ann')
  close(9n, 'ann')
  world.later(FUNDING_MS - (world.now() - started))
  tick('59390')
  funding(started + FUNDING_MS)
  open('o11', 'bob', '3000', 80)
  tick('50000')
  world.send(places.trading, encodeState(marketStates.Halted))
  open('o12', 'ann', '100', 5)
  world.send(places.trading, spec({ fundingRateBps: -units('2'), spreadBps: units('3') }))
  world.send(places.trading, encodeState(marketStates.Open))
  open('o13', 'ann', '100', 5, { short: true })
  tick('49999.5')
}

/** The fixed list of commands, through today's machines. */
export const tellStory = (): GoldenWorld => {
  const world = createGoldenWorld()
  tellTrading(world)
  world.later(1_000n)
  tellBridge(world)
  return world
}
