import type { MachineHost, OutsideCall } from '@bourse/common/kernel/host.ts'
import type { Machine } from '@bourse/common/kernel/machine.ts'
import { decodeHeader } from '@bourse/common/kernel/command.ts'
import type { Clock } from '@bourse/common/ports/clock.ts'
import type { Logger } from 'pino'
import type { BankCallbacks } from '../adapters/bank-callbacks.ts'
import type { LiquidityProvider } from '../adapters/liquidity-provider.ts'
import { decodeCall } from '../codec/calls.ts'
import { commandKinds, withTicker } from '../codec/commands.ts'
import { encodeQuestion } from '../codec/questions.ts'
import { decodeReply } from '../codec/reply.ts'
import { createBridgeMachine } from '../machine/machine.ts'
import { executeAuthorization, executeRedelivery, executeReversal, executeWebhook } from './execute-bank.ts'
import { executeOrder } from './execute-order.ts'
import type { StoredEvents } from './stored-events.ts'

/** What a bridge partition's host needs. */
export interface BridgeHostDeps {
  readonly ledgerPartitions: number
  readonly liquidity: LiquidityProvider
  readonly callbacks: BankCallbacks
  readonly events: StoredEvents
  readonly clock: Clock
  readonly logger: Logger
}

const withPrice = async (deps: BridgeHostDeps, command: Uint8Array, symbol: string): Promise<Uint8Array> => {
  const result = await deps.liquidity.ticker(symbol)
  if (result.kind === 'price') return withTicker(command, { state: 'price', price: result.price })
  deps.logger.warn({ symbol, reason: result.reason }, 'the exchange gives no price')
  return withTicker(command, { state: 'unavailable', price: 0n })
}

/**
 * Makes the host of a bridge partition. Trades and quotes get the exchange's ticker of the moment, unless their id is
 * known or they will be refused anyway.
 */
export const createBridgeHost = (deps: BridgeHostDeps): MachineHost => {
  const resolve = (command: Uint8Array, machine: Machine): Uint8Array | Promise<Uint8Array> => {
    const { kind } = decodeHeader(command)
    if (kind !== commandKinds.trade && kind !== commandKinds.quote) return command
    const reply = decodeReply(machine.query(encodeQuestion({ kind: 'symbolToAsk', command })).bytes)
    return reply.code !== 'OK' || reply.message === '' ? command : withPrice(deps, command, reply.message)
  }

  const execute = ({ bytes, maybeSent, signal }: OutsideCall): Promise<Uint8Array> => {
    const call = decodeCall(bytes)
    switch (call.kind) {
      case 'authorize':
        return executeAuthorization(deps, call, signal)
      case 'order':
        return executeOrder(deps, call, maybeSent, signal)
      case 'reverse':
        return executeReversal(deps, call, signal)
      case 'webhook':
        return executeWebhook(deps, call, signal)
      case 'redeliver':
        return executeRedelivery(deps, call, signal)
    }
  }

  return { factory: () => createBridgeMachine({ ledgerPartitions: deps.ledgerPartitions }), resolve, execute }
}
