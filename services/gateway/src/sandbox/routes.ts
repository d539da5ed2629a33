import type { Result } from '@bourse/common/errors/codes.ts'
import type { Bank } from '@bourse/common/resources/bank.ts'
import { bankErrorOf } from '../bank/errors.ts'
import { ApiError, invalid } from '../http/api-error.ts'
import { answer, route, type Handler, type Route, type RouteRequest } from '../http/route.ts'
import { createSimulatorControl, type SimulatorControl } from './simulator.ts'
import { sandboxSpecs } from './specs.ts'

/** The bank whose back end the platform's simulator plays. */
export const SIMULATED_BANK = 'demo'

/** Where the platform's own simulators are; null: that one is not its own. */
export interface Sandbox {
  readonly exchangeUrl: string | null
  /** The simulator of one bank's back end: no other bank sees its calls or steers it. */
  readonly bank: { readonly name: string; readonly url: string } | null
}

const valueOf = <Value>(result: Result<Value>): Value => {
  if (result.ok) return result.value
  throw bankErrorOf(result.refusal)
}

/** Only the fields that the door is for. */
const picked = (fields: Readonly<Record<string, unknown>>, names: readonly string[]) =>
  Object.fromEntries(names.map((name) => [name, fields[name]]))

/** What JSON Schema says badly: `ms` belongs to `slow` alone, a decline names exactly one of two, a fill names something. */
const checkRules = (change: Readonly<Record<string, unknown>>): void => {
  const listOf = (name: string) => (change[name] ?? []) as readonly Readonly<Record<string, unknown>>[]
  for (const { kind, ms } of listOf('faults')) {
    if ((kind === 'slow') !== (ms !== undefined)) throw invalid('faults: a fault of kind slow, and no other, has ms')
  }
  for (const { bankUserId, transactionId } of listOf('decline')) {
    if ((bankUserId === undefined) === (transactionId === undefined))
      throw invalid('decline: name either bankUserId or transactionId')
  }
  for (const { executedPrice, executedQty } of listOf('fills')) {
    if (executedPrice === undefined && executedQty === undefined)
      throw invalid('fills: name executedPrice, executedQty or both')
  }
}

/** The three handlers of one simulator. `of` gives it to those banks that may steer it. */
const doorsOf = (of: (bank: Bank) => SimulatorControl, shown: readonly string[]) => {
  const read: Handler<'bank'> = async (_request, bank) => answer(picked(valueOf(await of(bank).read()), shown))
  const change: Handler<'bank'> = async ({ body }: RouteRequest, bank) => {
    if (body === null) throw new Error('the route has a body schema')
    const fields = body.value as Readonly<Record<string, unknown>>
    checkRules(fields)
    return answer(picked(valueOf(await of(bank).change(fields)), shown))
  }
  const log: Handler<'bank'> = async ({ query }, bank) =>
    answer(valueOf(await of(bank).log(Number(query['after']), Number(query['limit']))))
  return { read, change, log }
}

/** The doors to the simulators; none where the platform has no simulator of its own. */
export const sandboxRoutes = (sandbox: Sandbox | null): readonly Route[] => {
  if (sandbox === null) return []
  const exchangeControl =
    sandbox.exchangeUrl === null ? null : createSimulatorControl('the simulated exchange', sandbox.exchangeUrl)
  const bankControl = sandbox.bank === null ? null : createSimulatorControl('the simulated bank', sandbox.bank.url)
  const exchangeFor = (): SimulatorControl => {
    if (exchangeControl !== null) return exchangeControl
    throw new ApiError('NOT_FOUND', 'the exchange is not a simulator of this platform')
  }
  const isSimulated = ({ name }: Bank): boolean => bankControl !== null && sandbox.bank?.name === name
  const bankFor = (bank: Bank): SimulatorControl => {
    if (bankControl !== null && isSimulated(bank)) return bankControl
    throw new ApiError('NOT_FOUND', `the back end of bank ${bank.name} is not a simulator of this platform`)
  }
  const exchange = doorsOf(exchangeFor, ['prices', 'faults', 'fills'])
  const ofBank = doorsOf(bankFor, ['faults', 'decline'])
  return [
    route({
      spec: sandboxSpecs.sandbox,
      handle: (_request, bank) => answer({ exchange: exchangeControl !== null, bank: isSimulated(bank) }),
    }),
    route({ spec: sandboxSpecs.exchangeControl, handle: exchange.read }),
    route({ spec: sandboxSpecs.changeExchange, handle: exchange.change }),
    route({ spec: sandboxSpecs.exchangeLog, handle: exchange.log }),
    route({ spec: sandboxSpecs.bankControl, handle: ofBank.read }),
    route({ spec: sandboxSpecs.changeBank, handle: ofBank.change }),
    route({ spec: sandboxSpecs.bankLog, handle: ofBank.log }),
  ]
}
