import { randomBytes } from 'node:crypto'
import { decodeOutcomeHeader } from '@bourse/common/kernel/outcome.ts'
import { partitionNumber } from '@bourse/common/kernel/partition.ts'
import { customerAccountKey, systemAccountKey, transactionTypes } from '@bourse/risk-rules/ledger/accounts.ts'
import { encodeLedgerCommand, type Leg } from '@bourse/risk-rules/ledger/codec.ts'
import { createLedgerMachine, loadLedgerModule } from '@bourse/risk-rules/ledger/machine.ts'
import { startEngine, type Engine } from './engine.ts'
import { nowMs, workFor, type Subject } from './slices.ts'

/** Customers with money; a power of two, so that an odd stride visits each. */
export const ACCOUNTS = 131_072
const STRIDE = 40_503
const GRANT = 10n ** 12n
const IDS_MAX = 1 << 22
const FUNDING_BATCH = 4_096

/** Where a transfer's command has what differs: id, hash of the request, owners of its two legs. */
const OFFSETS = { id: 8, requestHash: 24, from: 88, to: 136 } as const

/** The account whose money moves in the n-th place: each once in ACCOUNTS places, far apart in memory. */
const accountAt = (place: number): number => Math.imul(place, STRIDE) & (ACCOUNTS - 1)

/** Which accounts a stream of transfers touches: each its own two, or everybody pays account 0. */
export type TransferShape = 'unique' | 'hot'

/** Debit and credit of the n-th transfer. */
export const partiesOf = (shape: TransferShape, transfer: number): readonly [debit: number, credit: number] =>
  shape === 'unique'
    ? [accountAt(2 * transfer), accountAt(2 * transfer + 1)]
    : [accountAt(1 + (transfer % (ACCOUNTS - 1))), 0]

const ownerOf = (account: number): Uint8Array => {
  const owner = new Uint8Array(16).fill(0xc5)
  new DataView(owner.buffer).setUint32(12, account, true)
  return owner
}

const customer = (account: number, amount: bigint): Leg => ({
  ...customerAccountKey(ownerOf(account), 'USDC'),
  amount,
})

const requireOk = (outcomes: readonly Uint8Array[]): void => {
  for (const outcome of outcomes) {
    if (outcome[4] !== 0 || outcome[5] !== 0)
      throw new Error(`a command was refused with code ${decodeOutcomeHeader(outcome).code}`)
  }
}

/** A ledger partition in which every account has money. */
export const startLedger = async (folder: string): Promise<Engine<never>> => {
  const wasm = loadLedgerModule()
  const factory = () => createLedgerMachine({ wasm, accountsMax: 2 * ACCOUNTS, holdsMax: 1_024, idsMax: IDS_MAX })
  const engine = await startEngine<never>({ folder, partition: partitionNumber('ledger', 0), host: { factory } })
  const bank = systemAccountKey('bank', 'USDC', 'ABB')
  for (let first = 0; first < ACCOUNTS; first += FUNDING_BATCH) {
    const deposits = Array.from({ length: FUNDING_BATCH }, (_, index) =>
      encodeLedgerCommand(
        {},
        {
          kind: 'POST',
          transactionType: transactionTypes.DEPOSIT,
          legs: [customer(first + index, GRANT), { ...bank, amount: -GRANT }],
        },
      ),
    )
    requireOk(await engine.order(deposits))
  }
  return engine
}

/** Commands that are made once and get new ids and parties for every batch, outside of what is timed. */
const createTransfers = (count: number, shape: TransferShape) => {
  const commands = Array.from({ length: count }, () =>
    encodeLedgerCommand(
      { id: randomBytes(16), requestHash: randomBytes(16) },
      { kind: 'POST', transactionType: transactionTypes.CREDIT, legs: [customer(0, -1n), customer(1, 1n)] },
    ),
  )
  const views = commands.map((command) => new DataView(command.buffer))
  let transfer = 0
  return {
    commands,
    renew: (): void => {
      for (const view of views) {
        const [debit, credit] = partiesOf(shape, transfer)
        view.setUint32(OFFSETS.id, transfer, true)
        view.setUint32(OFFSETS.requestHash, transfer, true)
        view.setUint32(OFFSETS.from + 12, debit, true)
        view.setUint32(OFFSETS.to + 12, credit, true)
        transfer += 1
      }
    },
  }
}

/** Transfers of two legs through the engine, `batch` delivered together: the next when all of them are answered. */
export const createLedgerSubject = (engine: Engine<never>, batch: number, shape: TransferShape): Subject => {
  const { commands, renew } = createTransfers(batch, shape)
  const step = async () => {
    renew()
    const startMs = nowMs()
    const outcomes = await engine.order(commands)
    const tookMs = nowMs() - startMs
    requireOk(outcomes)
    return { operations: batch, tookMs }
  }
  return { name: shape, work: (durationMs) => workFor(durationMs, step) }
}
