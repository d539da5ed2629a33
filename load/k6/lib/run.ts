import { fail } from 'k6'
import { deposit, tradeOf } from './bank.ts'
import { newCustomer } from './data.ts'
import { call } from './http.ts'
import { bankKey } from './settings.ts'
import { signUp, usdcOf, type Trader } from './trader.ts'

/** Traders that setup signs up for the scenario `trading`. */
export const TRADERS = 16
/** Customers that setup gives money to for the scenario `banks`. */
export const CUSTOMERS = 32
/** What each of them gets, AZN. */
const CUSTOMER_AMOUNT = '5000.00'

/** What setup made; the same for all iterations and for teardown. */
export interface Run {
  /** ISO. */
  readonly startedAt: string
  /** `start`: what he had in USDC before the first trade, as text. */
  readonly traders: readonly (Trader & { readonly start: string })[]
  readonly customers: readonly string[]
}

const unitsText = (units: bigint): string => {
  const digits = String(units).padStart(9, '0')
  return `${digits.slice(0, -8)}.${digits.slice(-8)}`
}

const newPooledTrader = (): Run['traders'][number] => {
  const trader = signUp()
  if (trader === null)
    return fail('setup could not sign a trader up: is the platform ready, are its limits high enough?')
  const { available } = usdcOf(trader)
  if (available === 0n)
    fail('a new trader has no money: set BOURSE_DEMO_BALANCE, or credit traders by administration first')
  return { ...trader, start: unitsText(available) }
}

const newPooledCustomer = (): string => {
  const customer = newCustomer()
  const { status } = tradeOf(deposit(customer, CUSTOMER_AMOUNT))
  if (status !== 'COMPLETED') fail(`setup could not deposit to a customer of the bank: ${String(status)}`)
  return customer
}

/** Waits for nothing: the platform has to be ready. Makes the traders and customers of the run. */
export const prepareRun = (): Run => {
  const ready = call('GET', '/readyz', 'ready')
  if (ready.status !== 200) fail(`the platform is not ready (${ready.status}): ${String(ready.body)}`)
  // The bank's statement begins here, by the platform's clock: what is older is another run's.
  const platformMs = Date.parse(ready.headers['Date'] ?? '')
  const startedAt = new Date((Number.isFinite(platformMs) ? platformMs : Date.now()) - 1_000).toISOString()
  return {
    startedAt,
    traders: Array.from({ length: TRADERS }, newPooledTrader),
    customers: bankKey === '' ? [] : Array.from({ length: CUSTOMERS }, newPooledCustomer),
  }
}
