import { useQuery } from '@tanstack/react-query'
import { useState, type ReactNode } from 'react'
import { BourseRefusal } from '@bourse/client/refusal.ts'
import { Button } from '../design/controls.tsx'
import { Refused } from '../design/refusal.tsx'
import { Shown } from '../design/shown.tsx'
import { Banner, Panel } from '../design/surfaces.tsx'
import { useNow } from '../design/use-now.ts'
import { useStore } from '../session/hooks.ts'
import { deedWords } from './deed-form.ts'
import { useDesk } from './desk.ts'
import { explain, keyedWords } from './desk-words.ts'
import type { Intent } from './intent.ts'
import type { BankPair, BankSelf } from './shapes.ts'
import { TransactionDetail } from './transaction-detail.tsx'

type Known = Exclude<Intent, { step: 'none' }>

const AskAgain = () => {
  const { deeds } = useDesk()
  return (
    <Button onClick={() => void deeds.askAgain()} data-testid="trade-again">
      Ask again with the same key
    </Button>
  )
}

/** A transaction, read again for as long as it has not ended. */
const useTransaction = (id: string) => {
  const { api } = useDesk()
  return useQuery({
    queryKey: ['transaction', id],
    queryFn: ({ signal }) => api.transaction(id, signal),
    refetchInterval: ({ state }) => (state.data === undefined || state.data.status === 'PENDING' ? 2_000 : false),
  })
}

/** The transaction behind a deed, with its entries. */
const Transaction = ({ id }: { readonly id: string }) => (
  <Shown what="its entries" asked={useTransaction(id)} explain={explain}>
    {(transaction) => <TransactionDetail transaction={transaction} isEndSaid />}
  </Shown>
)

/** A deed that was accepted and had no end when it was last answered. */
const Pending = ({ id }: { readonly id: string }) => {
  const { data } = useTransaction(id)
  const hasEnded = data !== undefined && data.status !== 'PENDING'
  return (
    <Banner
      tone={hasEnded ? 'info' : 'warn'}
      title={hasEnded ? 'It has ended meanwhile' : 'Pending: accepted, not at its end'}
      action={<AskAgain />}
    >
      {hasEnded
        ? 'Its answer is recorded under the key: ask again and you get it. Nothing is done twice.'
        : 'The platform is still finding out how it ends. Ask again whenever you like: nothing is done twice.'}
    </Banner>
  )
}

/** What was recorded under a key of a refused deed, so that its end can be seen; nothing when nothing was. */
const Recorded = ({ idempotencyKey }: { readonly idempotencyKey: string }) => {
  const { api } = useDesk()
  const asked = useQuery({
    queryKey: ['transaction-by-key', idempotencyKey],
    queryFn: ({ signal }) => api.transactionByKey(idempotencyKey, signal),
  })
  // Refused before it became a transaction: the refusal above says all there is.
  if (asked.error instanceof BourseRefusal && asked.error.status === 404) return null
  return (
    <Shown what="the transaction" asked={asked} explain={explain}>
      {(transaction) => <TransactionDetail transaction={transaction} isEndSaid />}
    </Shown>
  )
}

/** How long an answer is waited for, said while it is. */
const Waiting = ({ isRepeat }: { readonly isRepeat: boolean }) => {
  const now = useNow(1_000)
  const [sinceMs] = useState(now)
  const seconds = Math.max(0, Math.floor((now - sinceMs) / 1_000))
  return (
    <Banner tone="info" title={isRepeat ? 'Asking again with the same key' : 'Sent'}>
      Waiting for the end, {seconds} s so far. After 15 s the platform says that it is still under way.
    </Banner>
  )
}

const Words = ({ intent }: { readonly intent: Known }): ReactNode => {
  switch (intent.step) {
    case 'sending':
      return <Waiting isRepeat={intent.isRepeat} />
    case 'pending':
      return <Pending id={intent.transactionId} />
    case 'unknown':
      return (
        <Refused
          words={keyedWords(intent.refusal.code, intent.refusal)}
          code={intent.refusal.code}
          requestId={intent.refusal.requestId}
          tone="warn"
          action={<AskAgain />}
        />
      )
    case 'refused':
      return (
        <Refused
          words={keyedWords(intent.refusal.code, intent.refusal)}
          code={intent.refusal.code}
          requestId={intent.refusal.requestId}
        />
      )
    case 'done':
      return (
        <Banner tone="good" title="Completed">
          Booked in one commit; the entries below are final.
        </Banner>
      )
  }
}

const pairOf = ({ pairs }: BankSelf, currency: string): BankPair | undefined =>
  pairs.find(({ quoteAsset, baseAsset }) => quoteAsset === currency || baseAsset === currency)

/** How the last deed stands: under way, open, refused or done, with its key and its entries. */
export const DeedOutcome = ({ bank }: { readonly bank: BankSelf }) => {
  const { deeds } = useDesk()
  const intent = useStore(deeds)
  if (intent.step === 'none') return null
  const pair = pairOf(bank, intent.deed.currency)
  const isEnded = intent.step === 'done' || intent.step === 'refused'
  return (
    <Panel
      title={pair === undefined ? 'Your request' : deedWords(intent.deed, pair)}
      testId="trade-result"
      aside={
        isEnded ? (
          <Button small onClick={() => deeds.forget()}>
            Put it away
          </Button>
        ) : null
      }
    >
      <div data-testid={`trade-${intent.step}`}>
        <Words intent={intent} />
      </div>
      <p className="small soft breakable">
        Idempotency key{' '}
        <span className="number" data-testid="trade-key">
          {intent.key}
        </span>
        {intent.step === 'refused' && !intent.isRecorded ? ' (nothing is recorded under it)' : ''}
      </p>
      {intent.step === 'done' || intent.step === 'pending' ? <Transaction id={intent.transactionId} /> : null}
      {intent.step === 'refused' && intent.isRecorded ? <Recorded idempotencyKey={intent.key} /> : null}
    </Panel>
  )
}
