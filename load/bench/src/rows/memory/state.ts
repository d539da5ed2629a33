import { decodeOutcomeHeader } from '@bourse/common/kernel/outcome.ts'
import { machineNumbers } from '@bourse/common/kernel/partition.ts'
import { parseAmount } from '@bourse/common/money/amount.ts'
import { customerAccountKey, transactionTypes } from '@bourse/risk-rules/ledger/accounts.ts'
import { encodeLedgerCommand, openAccountInstruction } from '@bourse/risk-rules/ledger/codec.ts'
import { LEDGER_SCHEMA_VERSION, loadLedgerModule } from '@bourse/risk-rules/ledger/machine.ts'
import { encodeSpec } from '@bourse/risk-rules/trading/codec.ts'
import { TRADING_SCHEMA_VERSION } from '@bourse/risk-rules/trading/machine.ts'
import { loadTradingModule } from '@bourse/risk-rules/trading/module.ts'
import { atMost } from '../../goals.ts'
import type { Group, Sample } from '../../row.ts'
import {
  ID_WINDOW_MS,
  marketSpec,
  openCommand,
  PRICE,
  SEGMENT_COMMANDS,
  START_MS,
  tickCommand,
  usualTrade,
  writeId,
} from '../../market.ts'
import { bytesEach, checkNotGrown, openMachine, reservedBytes, type OpenMachine } from './used.ts'

const MILLION = 1_000_000
const HALF = MILLION / 2
const IDS_MAX = 65_536
const HOLDS_MAX = 1_024
const OWNER_SALT = 0x0e

/** Applies `count` commands in batches; the window of ids turns before its table is full. */
const fill = (machine: OpenMachine, count: number, commandOf: (index: number) => Uint8Array): void => {
  let nowMs = START_MS
  for (let from = 0; from < count; from += SEGMENT_COMMANDS) {
    if (from % IDS_MAX === 0) nowMs += ID_WINDOW_MS + 1n
    const size = Math.min(SEGMENT_COMMANDS, count - from)
    const batch = Array.from({ length: size }, (_, index) => commandOf(from + index))
    for (const outcome of machine.machine.apply(batch, nowMs, 1).outcomes) {
      const { code } = decodeOutcomeHeader(outcome)
      if (code !== 0) throw new Error(`a command was refused with code ${code}`)
    }
  }
}

const tradingFor = (trades: number): OpenMachine =>
  openMachine(loadTradingModule(), machineNumbers.trading, TRADING_SCHEMA_VERSION, [trades, IDS_MAX])

/** The largest a trade can be: a stop, a target, and an account that has no other. */
const fullTrade = (index: number): Uint8Array => {
  const usual = usualTrade(index)
  const away = usual.isShort ? -parseAmount('3000') : parseAmount('3000')
  return openCommand({ ...usual, account: index, stopLoss: PRICE - away, takeProfit: PRICE + away })
}

const positionBytes = (): number => {
  const machine = tradingFor(MILLION)
  const reserved = reservedBytes(machine)
  machine.machine.apply([encodeSpec(marketSpec), tickCommand(PRICE)], START_MS, 1)
  fill(machine, MILLION, fullTrade)
  checkNotGrown(machine, reserved)
  return bytesEach(machine, MILLION, tradingFor(HALF), HALF)
}

const ledgerFor = (accounts: number): OpenMachine =>
  openMachine(loadLedgerModule(), machineNumbers.ledger, LEDGER_SCHEMA_VERSION, [accounts, HOLDS_MAX, IDS_MAX])

const openAccount = (index: number): Uint8Array => {
  const words = new DataView(new ArrayBuffer(48))
  for (const at of [0, 16, 32]) writeId(words, at, index, OWNER_SALT + at)
  const bytes = (at: number): Uint8Array => new Uint8Array(words.buffer, at, 16)
  const account = customerAccountKey(bytes(32), 'USDC')
  return encodeLedgerCommand(
    { id: bytes(0), requestHash: bytes(16) },
    openAccountInstruction(account, parseAmount('100'), transactionTypes.OPEN_ACCOUNT),
  )
}

const accountBytes = (): number => {
  // The grants come from one account more, the promotion's.
  const machine = ledgerFor(MILLION + 1)
  const reserved = reservedBytes(machine)
  fill(machine, MILLION, openAccount)
  checkNotGrown(machine, reserved)
  return bytesEach(machine, MILLION + 1, ledgerFor(HALF + 1), HALF + 1)
}

const measure = async (): Promise<Record<string, Sample>> => ({
  'memory/position': { value: positionBytes(), peers: {} },
  'memory/account': { value: accountBytes(), peers: {} },
})

const what = (of: string): string =>
  `Memory of one more ${of}, indexes included: machines made for 1,000,000 and for 500,000 compared, the larger one full`

/** What trades and accounts take. */
export const memoryState: Group = {
  name: 'memory/state',
  rows: [
    {
      name: 'memory/position',
      what: what('open trade with stop, target and an account of its own'),
      unit: 'bytes',
      kind: 'core',
      goal: atMost(160, 'bytes'),
    },
    { name: 'memory/account', what: what('account'), unit: 'bytes', kind: 'core', goal: atMost(160, 'bytes') },
  ],
  measure,
}
