import { DatabaseSync } from 'node:sqlite'
import { CONTROL_SCHEMA, createRuleList } from '@bourse/common/simulator/controlState.ts'
import type { Fault } from '@bourse/common/simulator/faults.ts'
import { BANK_SCHEMA, createBank, type DeclineRule } from '@bourse/mock-bank/bank.ts'
import { bankCalls } from '@bourse/mock-bank/calls.ts'
import type { Faults } from '../faults/faults.ts'
import type { FaultKind } from '../faults/kinds.ts'
import type { NetworkHandler } from '../ports/ground.ts'
import type { World } from '../world/world.ts'
import { struckFault } from './exchange.ts'
import { compileCalls, createWire } from './wire.ts'

/** An event as the bank received it. */
export interface ReceivedEvent {
  readonly receipt: number
  readonly sequence: number
  readonly id: string
  readonly type: string
  readonly createdAt: string | number
  readonly data: Readonly<Record<string, unknown>>
  readonly receivedAt: number
  readonly duplicates: number
}

/** What the bank knows of a transaction: what it was asked to authorize, what it said, whether that was taken back. */
export interface AuthorizedTransaction {
  readonly transactionId: string
  readonly state: 'AUTHORIZED' | 'DECLINED' | 'REVERSED'
  readonly bankUserId: string | null
  readonly type: 'BUY' | 'SELL' | null
  readonly amount: string | null
  readonly currency: string | null
  readonly authorizations: number
  readonly reversals: number
}

/** A bank's back end in the simulated world: the mock bank's logic, with its books in memory. */
export interface SimulatedBank {
  readonly handler: NetworkHandler
  /** All events, in order of receipt. */
  events(): readonly ReceivedEvent[]
  /** All transactions it ever heard of by an authorization or a reversal. */
  transactions(): readonly AuthorizedTransaction[]
  /** Event deliveries that were refused for their signature: none may be. */
  readonly badSignatures: number
  close(): void
}

const PAGE = 1_000

const kinds = {
  'bank-reject': 'reject',
  'bank-error': 'error',
  'bank-hang': 'hang',
  'bank-slow': 'slow',
  'bank-drop': 'drop',
  'bank-twice': 'twice',
} as const satisfies Partial<Record<FaultKind, Fault['kind']>>

/** Makes the factory of banks; one for all seeds of a process (schemas are compiled once). */
export const createBankMaker = () => {
  const schemas = compileCalls(bankCalls({} as ReturnType<typeof createBank>, () => []))
  return (deps: {
    readonly name: string
    readonly world: World
    readonly faults: Faults
    readonly nowMs: () => number
    readonly secret: string
  }): SimulatedBank => {
    const { name, world, faults } = deps
    const database = new DatabaseSync(':memory:')
    database.exec(CONTROL_SCHEMA + BANK_SCHEMA)
    const declines = createRuleList<DeclineRule>(database, 'decline')
    const bank = createBank(database, declines)
    const wire = createWire({
      name,
      world,
      nowMs: deps.nowMs,
      calls: bankCalls(bank, () => [deps.secret]),
      schemas,
      faultOf: () => struckFault(world, faults, kinds),
    })
    let badSignatures = 0
    const page = <Row>(read: (after: number) => readonly Row[]): Row[] => {
      const all: Row[] = []
      for (let rows: readonly Row[] | null = null; rows === null || rows.length === PAGE; all.push(...rows))
        rows = read(all.length)
      return all
    }
    return {
      handler: (call) => {
        if (call.path === '/authorizations' && faults.strikes('bank-decline')) {
          const { transactionId } = JSON.parse(call.body) as { readonly transactionId: string }
          declines.replace([{ transactionId, count: 1 }])
        }
        const result = wire(call)
        if (result.answer !== null && result.answer !== 'cut' && result.answer.status === 401) badSignatures += 1
        return result
      },
      events: () => page((after) => JSON.parse(bank.events(after, PAGE).text) as ReceivedEvent[]),
      transactions: () =>
        database
          .prepare('SELECT transactionId FROM transactions ORDER BY number')
          .all()
          .map((row) => JSON.parse(bank.transaction(String(row['transactionId'])).text) as AuthorizedTransaction),
      get badSignatures() {
        return badSignatures
      },
      close: () => database.close(),
    }
  }
}
