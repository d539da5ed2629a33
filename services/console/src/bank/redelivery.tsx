import { useMutation } from '@tanstack/react-query'
import { useState } from 'react'
import { Button, TextField } from '../design/controls.tsx'
import { Refused } from '../design/refusal.tsx'
import { Banner, Panel } from '../design/surfaces.tsx'
import { refusalOf } from '../session/queries.ts'
import { useDesk } from './desk.ts'
import { explainKeyed } from './desk-words.ts'
import { readEventRange, REDELIVERY_EVENTS_MAX, type EventRange } from './event-pages.ts'
import { isInDoubt } from './intent.ts'
import type { Redelivery } from './shapes.ts'

interface Asked {
  readonly range: EventRange
  readonly key: string
}

/** Sends events again, one range at a time; a range whose answer was lost keeps its key. */
export interface RedeliveryState {
  readonly isBusy: boolean
  /** What was asked for last. */
  readonly range: EventRange | null
  readonly accepted: Redelivery | null
  readonly error: Error | null
  /** The last range, when nobody can say whether it was accepted. */
  readonly unknown: Asked | null
  readonly send: (range: EventRange) => void
  readonly askAgain: (asked: Asked) => void
}

/** Redeliveries asked for in one place of the page. */
export const useRedelivery = (): RedeliveryState => {
  const { api, makeKey } = useDesk()
  const run = useMutation({ mutationFn: ({ range, key }: Asked) => api.redeliver(range, key) })
  const isUnknown = run.error !== null && isInDoubt(refusalOf(run.error).code)
  return {
    isBusy: run.isPending,
    accepted: run.data ?? null,
    error: run.error,
    range: run.variables?.range ?? null,
    unknown: isUnknown ? (run.variables ?? null) : null,
    send: (range) => run.mutate({ range, key: makeKey() }),
    askAgain: (asked) => run.mutate(asked),
  }
}

const rangeWords = ({ from, to }: Pick<Redelivery, 'from' | 'to'>): string =>
  from === to ? `Event ${from}` : `Events ${from} to ${to}`

/** What the platform answered to the last redelivery. */
export const RedeliveryOutcome = ({ redelivery: { accepted, error, unknown, isBusy, askAgain } }: RedeliveryProps) => {
  if (error !== null)
    return (
      <Refused
        {...explainKeyed(error)}
        tone={unknown === null ? 'danger' : 'warn'}
        action={
          unknown === null ? null : (
            <Button busy={isBusy} onClick={() => askAgain(unknown)}>
              Ask again with the same key
            </Button>
          )
        }
      />
    )
  if (accepted === null) return null
  return (
    <div data-testid="redelivery-accepted">
      <Banner tone="good" title={`${rangeWords(accepted)} ${accepted.count === 1 ? 'is' : 'are'} being sent again`}>
        {accepted.count} in order, with the same sequence and id, signed anew. Your server sees them beside what is new.
      </Banner>
    </div>
  )
}

interface RedeliveryProps {
  readonly redelivery: RedeliveryState
}

/** Sends a range of events to the bank's server again, and says what the platform answered. */
export const RedeliveryPanel = () => {
  const redelivery = useRedelivery()
  const [from, setFrom] = useState('')
  const [to, setTo] = useState('')
  const [fault, setFault] = useState<string | null>(null)
  return (
    <Panel title="Send again" testId="redelivery">
      <p className="soft">
        For a server that lost what it had acknowledged. At most {REDELIVERY_EVENTS_MAX} at once; what your server does
        not acknowledge is tried for ten minutes.
      </p>
      <RedeliveryOutcome redelivery={redelivery} />
      <form
        className="search search-two"
        onSubmit={(event) => {
          event.preventDefault()
          const read = readEventRange(from, to)
          setFault(read.ok ? null : read.words)
          if (read.ok) redelivery.send(read.range)
        }}
      >
        <TextField
          label="First sequence"
          inputMode="numeric"
          value={from}
          onValue={setFrom}
          fault={fault}
          autoComplete="off"
          data-testid="redelivery-from"
        />
        <TextField
          label="Last sequence"
          inputMode="numeric"
          value={to}
          onValue={setTo}
          hint="Empty: the first alone."
          autoComplete="off"
          data-testid="redelivery-to"
        />
        <Button type="submit" busy={redelivery.isBusy} data-testid="redelivery-send">
          Send again
        </Button>
      </form>
    </Panel>
  )
}
