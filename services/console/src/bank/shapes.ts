import type { components } from '@bourse/client/generated/schema.ts'
import type { Fault } from './faults.ts'

type Schemas = components['schemas']

/** Shapes of the bank API by their names in its document; amounts and prices are decimal strings. */
export type BankTransaction = Schemas['BankTransaction']
export type BankTransactionPage = Schemas['BankTransactionPage']
export type BankEntry = Schemas['BankEntry']
export type BankAccount = Schemas['BankAccount']
export type BankEvent = Schemas['BankEvent']
export type BankEvents = Schemas['BankEvents']
export type BankPair = Schemas['BankPair']
export type BankSelf = Schemas['BankSelf']
export type BankCustomerPage = Schemas['BankCustomerPage']
export type Quote = Schemas['Quote']
export type Statement = Schemas['Statement']
export type StatementEntry = Statement['entries'][number]
export type Redelivery = Schemas['Redelivery']
export type SandboxDoors = Schemas['Sandbox']
export type ExchangeControlChange = Schemas['ExchangeControlChange']
export type BankControlChange = Schemas['BankControlChange']
export type SimulatorCall = Schemas['SimulatorCall']

/** What is in force at a simulator; the bank has no prices. */
export interface SandboxControl {
  readonly prices?: Readonly<Record<string, string>>
  readonly faults: readonly Fault[]
}
