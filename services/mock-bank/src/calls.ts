/** The mock bank's calls: their names, paths and schemas, and what each does. */
import { answer, refusal, type SimulatedCall } from '@bourse/common/simulator/call.ts'
import type { Authorization, Bank, BankEvent } from './bank.ts'
import { AUTHORIZATION_SCHEMA, REVERSAL_SCHEMA, WEBHOOK_SCHEMA } from './schemas.ts'
import { isSigned } from './signature.ts'

const notAcknowledged = answer(200, { acknowledged: false })
const rejected = refusal(422, 'REJECTED', 'the bank does not take the event')
const badSignature = refusal(401, 'BAD_SIGNATURE', 'x-bourse-signature is not of this body and a webhook secret')

/** What the bank answers over HTTP, call by call; `secrets` are the webhook secrets of the moment. */
export const bankCalls = (bank: Bank, secrets: () => readonly string[]): readonly SimulatedCall[] => [
  {
    on: 'authorization',
    method: 'POST',
    path: '/authorizations',
    schema: AUTHORIZATION_SCHEMA,
    work: (authorization: Authorization, { nowMs, refused }) => bank.authorize(authorization, nowMs, refused),
  },
  {
    on: 'reversal',
    method: 'POST',
    path: '/reversals',
    schema: REVERSAL_SCHEMA,
    work: ({ transactionId }: { readonly transactionId: string }, { nowMs, refused }) =>
      refused ? notAcknowledged : bank.reverse(transactionId, nowMs),
  },
  {
    on: 'webhook',
    method: 'POST',
    path: '/webhooks',
    schema: WEBHOOK_SCHEMA,
    work: (event: BankEvent, { nowMs, refused, bytes, header }) => {
      if (refused) return rejected
      return isSigned(header('x-bourse-signature'), bytes, secrets()) ? bank.receive(event, nowMs) : badSignature
    },
  },
]
