import { createBinaryReader, createBinaryWriter, type BinaryReader } from '@bourse/common/codec/binary.ts'
import { encodeCommand, commandOrigins } from '@bourse/common/kernel/command.ts'
import type { Units } from '@bourse/common/money/amount.ts'

/*
 * Calls to the outside that the machine decides on, and the answers that come back as commands. Both name the
 * transaction (or the bank), so that an answer finds its place whatever its number is.
 */

/** Ask the bank to acknowledge a trade. */
export interface AuthorizationCall {
  readonly kind: 'authorize'
  readonly transactionId: Uint8Array
  readonly callbackUrl: string
  readonly timeoutMs: number
  readonly retries: number
  readonly bankUserId: string
  readonly type: 'BUY' | 'SELL'
  /** Decimal string. */
  readonly amount: string
  readonly currency: string
}

/** Buy from or sell to the exchange. */
export interface OrderCall {
  readonly kind: 'order'
  readonly transactionId: Uint8Array
  readonly symbol: string
  readonly side: 'BUY' | 'SELL'
  /** Decimal string. */
  readonly quantity: string
  /** Ms; the exchange refuses the order later. */
  readonly validUntil: bigint
}

/** Tell the bank that a trade it may have acknowledged did not happen. */
export interface ReversalCall {
  readonly kind: 'reverse'
  readonly transactionId: Uint8Array
  readonly bank: string
  readonly callbackUrl: string
  readonly timeoutMs: number
}

/** Tell the bank how a transaction ended. */
export interface WebhookCall {
  readonly kind: 'webhook'
  readonly bank: string
  readonly callbackUrl: string
  readonly timeoutMs: number
  readonly sequence: bigint
  /** The transaction, encoded whole. */
  readonly transaction: Uint8Array
}

/** Send the bank an event again that it has acknowledged before; whoever makes the call finds it in the views. */
export interface RedeliveryCall {
  readonly kind: 'redeliver'
  /** Of the redelivery. */
  readonly id: Uint8Array
  readonly bank: string
  readonly callbackUrl: string
  readonly timeoutMs: number
  readonly sequence: bigint
}

/** A call to the outside. */
export type BridgeCall = AuthorizationCall | OrderCall | ReversalCall | WebhookCall | RedeliveryCall

const callNumbers = { authorize: 1, order: 2, reverse: 3, webhook: 4, redeliver: 5 } as const
const sides = ['BUY', 'SELL'] as const

/** Encodes a call. */
export const encodeCall = (call: BridgeCall): Uint8Array => {
  const writer = createBinaryWriter().u8(callNumbers[call.kind])
  switch (call.kind) {
    case 'authorize':
      writer
        .bytes(call.transactionId)
        .text(call.callbackUrl)
        .u32(call.timeoutMs)
        .u32(call.retries)
        .text(call.bankUserId)
      writer.u8(sides.indexOf(call.type)).text(call.amount).text(call.currency)
      break
    case 'order':
      writer
        .bytes(call.transactionId)
        .text(call.symbol)
        .u8(sides.indexOf(call.side))
        .text(call.quantity)
        .i64(call.validUntil)
      break
    case 'reverse':
      writer.bytes(call.transactionId).text(call.bank).text(call.callbackUrl).u32(call.timeoutMs)
      break
    case 'webhook':
      writer.text(call.bank).text(call.callbackUrl).u32(call.timeoutMs).u64(call.sequence).blob(call.transaction)
      break
    case 'redeliver':
      writer.bytes(call.id).text(call.bank).text(call.callbackUrl).u32(call.timeoutMs).u64(call.sequence)
      break
  }
  return writer.finish()
}

const sideOf = (number: number): 'BUY' | 'SELL' => {
  const side = sides[number]
  if (side === undefined) throw new RangeError(`side ${number} is none`)
  return side
}

const readCall = (reader: BinaryReader): BridgeCall => {
  const number = reader.u8()
  switch (number) {
    case callNumbers.authorize:
      return {
        kind: 'authorize',
        transactionId: reader.bytes(16),
        callbackUrl: reader.text(),
        timeoutMs: reader.u32(),
        retries: reader.u32(),
        bankUserId: reader.text(),
        type: sideOf(reader.u8()),
        amount: reader.text(),
        currency: reader.text(),
      }
    case callNumbers.order:
      return {
        kind: 'order',
        transactionId: reader.bytes(16),
        symbol: reader.text(),
        side: sideOf(reader.u8()),
        quantity: reader.text(),
        validUntil: reader.i64(),
      }
    case callNumbers.reverse:
      return {
        kind: 'reverse',
        transactionId: reader.bytes(16),
        bank: reader.text(),
        callbackUrl: reader.text(),
        timeoutMs: reader.u32(),
      }
    case callNumbers.webhook:
      return {
        kind: 'webhook',
        bank: reader.text(),
        callbackUrl: reader.text(),
        timeoutMs: reader.u32(),
        sequence: reader.u64(),
        transaction: reader.blob(),
      }
    case callNumbers.redeliver:
      return {
        kind: 'redeliver',
        id: reader.bytes(16),
        bank: reader.text(),
        callbackUrl: reader.text(),
        timeoutMs: reader.u32(),
        sequence: reader.u64(),
      }
    default:
      throw new RangeError(`outside call ${number} is unknown`)
  }
}

/** Decodes a call. Throws BinaryError or RangeError on bytes that are none: the journal would be damaged. */
export const decodeCall = (bytes: Uint8Array): BridgeCall => {
  const reader = createBinaryReader(bytes)
  const call = readCall(reader)
  reader.end()
  return call
}

/** Kinds of the commands that bring answers. */
export const answerKinds = { authorization: 111, order: 112, reversal: 113, webhook: 114, redelivery: 115 } as const

/** The bank's answer; `unreachable` after the last attempt. */
export interface AuthorizationAnswer {
  readonly kind: 'authorization'
  readonly transactionId: Uint8Array
  readonly result: 'acknowledged' | 'declined' | 'unreachable'
}

/** What became of the order; `absent`: it never arrived and can't any more. */
export interface OrderAnswer {
  readonly kind: 'order'
  readonly transactionId: Uint8Array
  readonly result: 'filled' | 'rejected' | 'absent'
  readonly executedPrice: Units
  readonly executedQuantity: Units
}

/** Whether the bank acknowledged a reversal; if not, it is called again. */
export interface ReversalAnswer {
  readonly kind: 'reversal'
  readonly transactionId: Uint8Array
  readonly bank: string
  readonly acknowledged: boolean
}

/** Whether the bank acknowledged an event; if not, it is sent again. */
export interface WebhookAnswer {
  readonly kind: 'webhook'
  readonly bank: string
  readonly sequence: bigint
  readonly acknowledged: boolean
}

/** Whether the bank acknowledged an event that was sent again; if not, it is sent once more, for a while. */
export interface RedeliveryAnswer {
  readonly kind: 'redelivery'
  readonly id: Uint8Array
  readonly bank: string
  readonly sequence: bigint
  readonly acknowledged: boolean
}

/** An answer from outside. */
export type BridgeAnswer = AuthorizationAnswer | OrderAnswer | ReversalAnswer | WebhookAnswer | RedeliveryAnswer

const authorizationResults = ['acknowledged', 'declined', 'unreachable'] as const
const orderResults = ['filled', 'rejected', 'absent'] as const

/** Encodes an answer as a command; the kernel sets its number. */
export const encodeAnswer = (answer: BridgeAnswer): Uint8Array => {
  const writer = createBinaryWriter()
  switch (answer.kind) {
    case 'authorization':
      writer.bytes(answer.transactionId).u8(authorizationResults.indexOf(answer.result))
      break
    case 'order':
      writer.bytes(answer.transactionId).u8(orderResults.indexOf(answer.result))
      writer.i128(answer.executedPrice).i128(answer.executedQuantity)
      break
    case 'reversal':
      writer.bytes(answer.transactionId).text(answer.bank).flag(answer.acknowledged)
      break
    case 'webhook':
      writer.text(answer.bank).u64(answer.sequence).flag(answer.acknowledged)
      break
    case 'redelivery':
      writer.bytes(answer.id).text(answer.bank).u64(answer.sequence).flag(answer.acknowledged)
      break
  }
  return encodeCommand({ kind: answerKinds[answer.kind], origin: commandOrigins.outside }, writer.finish())
}

const resultOf = <Name extends string>(names: readonly Name[], number: number): Name => {
  const name = names[number]
  if (name === undefined) throw new RangeError(`result ${number} is unknown`)
  return name
}

const readAnswer = (kind: number, reader: BinaryReader): BridgeAnswer => {
  switch (kind) {
    case answerKinds.authorization:
      return {
        kind: 'authorization',
        transactionId: reader.bytes(16),
        result: resultOf(authorizationResults, reader.u8()),
      }
    case answerKinds.order:
      return {
        kind: 'order',
        transactionId: reader.bytes(16),
        result: resultOf(orderResults, reader.u8()),
        executedPrice: reader.i128(),
        executedQuantity: reader.i128(),
      }
    case answerKinds.reversal:
      return { kind: 'reversal', transactionId: reader.bytes(16), bank: reader.text(), acknowledged: reader.flag() }
    case answerKinds.webhook:
      return { kind: 'webhook', bank: reader.text(), sequence: reader.u64(), acknowledged: reader.flag() }
    case answerKinds.redelivery:
      return {
        kind: 'redelivery',
        id: reader.bytes(16),
        bank: reader.text(),
        sequence: reader.u64(),
        acknowledged: reader.flag(),
      }
    default:
      throw new RangeError(`answer kind ${kind} is unknown`)
  }
}

/** Decodes an answer's body by its kind. Throws BinaryError or RangeError on bytes that are none. */
export const decodeAnswer = (kind: number, body: Uint8Array): BridgeAnswer => {
  const reader = createBinaryReader(body)
  const answer = readAnswer(kind, reader)
  reader.end()
  return answer
}
