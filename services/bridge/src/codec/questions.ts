import { createBinaryReader, createBinaryWriter, type BinaryReader } from '@bourse/common/codec/binary.ts'
import { encodeCommand } from '@bourse/common/kernel/command.ts'

/** Kinds of question a bridge partition answers. */
export const questionKinds = {
  transaction: 220,
  transactionByKey: 221,
  customer: 222,
  bank: 223,
  symbolToAsk: 224,
  inFlight: 225,
  backlog: 226,
  dayUse: 227,
} as const

/** A question, decoded. `symbolToAsk` carries a client command and is asked by the host only. */
export type Question =
  | { readonly kind: 'transaction'; readonly bank: string; readonly transactionId: Uint8Array }
  | { readonly kind: 'transactionByKey'; readonly bank: string; readonly idempotencyKey: string }
  | { readonly kind: 'customer'; readonly bank: string; readonly bankUserId: string }
  | { readonly kind: 'bank'; readonly bank: string }
  | { readonly kind: 'symbolToAsk'; readonly command: Uint8Array }
  | { readonly kind: 'inFlight' }
  | { readonly kind: 'backlog' }
  | { readonly kind: 'dayUse'; readonly bank: string }

/** Encodes a question. */
export const encodeQuestion = (question: Question): Uint8Array => {
  const writer = createBinaryWriter()
  switch (question.kind) {
    case 'transaction':
      writer.text(question.bank).bytes(question.transactionId)
      break
    case 'transactionByKey':
      writer.text(question.bank).text(question.idempotencyKey)
      break
    case 'customer':
      writer.text(question.bank).text(question.bankUserId)
      break
    case 'bank':
    case 'dayUse':
      writer.text(question.bank)
      break
    case 'symbolToAsk':
      writer.blob(question.command)
      break
    case 'inFlight':
    case 'backlog':
      break
  }
  return encodeCommand({ kind: questionKinds[question.kind] }, writer.finish())
}

const readQuestion = (kind: number, reader: BinaryReader): Question | null => {
  switch (kind) {
    case questionKinds.transaction:
      return { kind: 'transaction', bank: reader.text(), transactionId: reader.bytes(16) }
    case questionKinds.transactionByKey:
      return { kind: 'transactionByKey', bank: reader.text(), idempotencyKey: reader.text() }
    case questionKinds.customer:
      return { kind: 'customer', bank: reader.text(), bankUserId: reader.text() }
    case questionKinds.bank:
      return { kind: 'bank', bank: reader.text() }
    case questionKinds.symbolToAsk:
      return { kind: 'symbolToAsk', command: reader.blob() }
    case questionKinds.inFlight:
      return { kind: 'inFlight' }
    case questionKinds.backlog:
      return { kind: 'backlog' }
    case questionKinds.dayUse:
      return { kind: 'dayUse', bank: reader.text() }
    default:
      return null
  }
}

/** Decodes a question; null for a kind that is none. Throws BinaryError on a broken body. */
export const decodeQuestion = (kind: number, body: Uint8Array): Question | null => {
  const reader = createBinaryReader(body)
  const question = readQuestion(kind, reader)
  if (question !== null) reader.end()
  return question
}
