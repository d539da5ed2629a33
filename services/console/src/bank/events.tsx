import { useMutation, useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { Button } from '../design/controls.tsx'
import { Refused } from '../design/refusal.tsx'
import { Shown } from '../design/shown.tsx'
import { Badge, Empty, Panel } from '../design/surfaces.tsx'
import { formatDateTime, formatTime } from '../format/time.ts'
import { useDesk } from './desk.ts'
import { explain } from './desk-words.ts'
import { EVENT_PAGE, newestPageAfter, pageBefore, readSequence } from './event-pages.ts'
import { RedeliveryOutcome, RedeliveryPanel, useRedelivery, type RedeliveryState } from './redelivery.tsx'
import { SearchForm } from './search-form.tsx'
import type { BankEvent } from './shapes.ts'

const EVENT_WORDS: Readonly<Record<string, { readonly words: string; readonly tone: 'good' | 'danger' | 'plain' }>> = {
  'transaction.completed': { words: 'Trade completed', tone: 'good' },
  'transaction.failed': { words: 'Trade failed', tone: 'danger' },
  'deposit.completed': { words: 'Deposit booked', tone: 'good' },
  'withdrawal.completed': { words: 'Withdrawal booked', tone: 'good' },
}

interface EventProps {
  readonly event: BankEvent
  readonly again: RedeliveryState
}

const Event = ({ event, again }: EventProps) => {
  const { words, tone } = EVENT_WORDS[event.type] ?? { words: event.type, tone: 'plain' }
  const isAsked = again.range?.from === event.sequence
  return (
    <li className="event" data-testid={`event-${event.sequence}`}>
      <details>
        <summary>
          <span className="number">#{event.sequence}</span>
          <Badge tone={tone}>{words}</Badge>
          <span className="soft small">{formatDateTime(event.createdAt)}</span>
        </summary>
        <div className="stack">
          <p className="small soft breakable">
            Type <span className="number">{event.type}</span> · id <span className="number">{event.id}</span>
          </p>
          <pre className="code" tabIndex={0} aria-label={`Payload of event ${event.sequence}`}>
            {JSON.stringify(event.data, null, 2)}
          </pre>
          <div className="row">
            <Button
              small
              busy={again.isBusy}
              aria-label={`Send it again: event ${event.sequence}`}
              onClick={() => again.send({ from: event.sequence, to: event.sequence })}
              data-testid={`event-${event.sequence}-again`}
            >
              Send it again
            </Button>
          </div>
          {isAsked ? <RedeliveryOutcome redelivery={again} /> : null}
        </div>
      </details>
    </li>
  )
}

type ListProps = Pick<EventProps, 'again'> & { readonly after: number }

const List = ({ after, again }: ListProps) => {
  const { api } = useDesk()
  const asked = useQuery({
    queryKey: ['events', after],
    queryFn: ({ signal }) => api.events(after, EVENT_PAGE, signal),
    refetchInterval: 5_000,
  })
  return (
    <Shown what="events" asked={asked} explain={explain} lines={5}>
      {({ events, asOf }) => (
        <>
          {events.length === 0 ? (
            <Empty title={after === 0 ? 'No events yet' : `No events after ${after}`}>
              The end of every trade, deposit and withdrawal becomes one.
            </Empty>
          ) : (
            <ol className="events" reversed>
              {[...events].reverse().map((event) => (
                <Event key={event.sequence} event={event} again={again} />
              ))}
            </ol>
          )}
          <p className="soft small">As of {formatTime(asOf)}, the newest of the page first.</p>
        </>
      )}
    </Shown>
  )
}

interface WayProps {
  readonly after: number
  readonly onAfter: (after: number) => void
}

const Ways = ({ after, onAfter }: WayProps) => {
  const { api } = useDesk()
  const newest = useMutation({
    mutationFn: () => newestPageAfter(async (from, limit) => (await api.events(from, limit)).events.length),
    onSuccess: onAfter,
  })
  return (
    <>
      <SearchForm
        label="From sequence"
        inputMode="numeric"
        fieldTestId="events-from"
        button="Go there"
        onSearch={(typed) => {
          const sequence = readSequence(typed)
          if (sequence !== null) onAfter(sequence - 1)
          return sequence === null ? 'A sequence is a whole number from 1.' : null
        }}
      >
        <Button busy={newest.isPending} onClick={() => newest.mutate()} data-testid="events-newest">
          Newest
        </Button>
      </SearchForm>
      {newest.error === null ? null : <Refused {...explain(newest.error)} tone="warn" />}
      <div className="row">
        <Button small disabled={after === 0} onClick={() => onAfter(pageBefore(after))}>
          Older
        </Button>
        <Button small onClick={() => onAfter(after + EVENT_PAGE)}>
          Newer
        </Button>
      </div>
    </>
  )
}

/** Starts at the newest events, found with a few small questions. */
const useFirstPage = () => {
  const { api } = useDesk()
  return useQuery({
    queryKey: ['events-newest'],
    queryFn: ({ signal }) =>
      newestPageAfter(async (from, limit) => (await api.events(from, limit, signal)).events.length),
    staleTime: Infinity,
  })
}

/** What the bank was told, by sequence, with the payload it got. */
export const Events = () => {
  const first = useFirstPage()
  const [chosen, setChosen] = useState<number | null>(null)
  const again = useRedelivery()
  return (
    <>
      <Panel title="Events" testId="events">
        <p className="soft">
          What your server is sent at its webhook: one sequence without gaps, each event until your server acknowledges
          it.
        </p>
        <Shown what="the newest events" asked={first} explain={explain} lines={5}>
          {(newest) => {
            const after = chosen ?? newest
            return (
              <>
                <Ways after={after} onAfter={setChosen} />
                <List key={after} after={after} again={again} />
              </>
            )
          }}
        </Shown>
      </Panel>
      <RedeliveryPanel />
    </>
  )
}
