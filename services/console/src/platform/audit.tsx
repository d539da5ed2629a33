import { useInfiniteQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { Button, Choice } from '../design/controls.tsx'
import { Shown } from '../design/shown.tsx'
import { Empty, Panel } from '../design/surfaces.tsx'
import { Table } from '../design/table.tsx'
import { formatDateTime } from '../format/time.ts'
import type { AuditPage, AuditRecord } from './api.ts'
import { usePlatform } from './desk.ts'
import { isReading } from './who.ts'
import { explain } from './words.ts'

const REFRESH_MS = 10_000

const VIEWS = [
  { value: 'all', label: 'All' },
  { value: 'acts', label: 'Acts only' },
] as const

const Detail = ({ record: { id, idempotencyKey, detail } }: { readonly record: AuditRecord }) => (
  <div className="stack">
    <p className="small soft breakable">
      Record <span className="number">{id}</span>
      {idempotencyKey === '' ? null : (
        <>
          {' · key '}
          <span className="number">{idempotencyKey}</span>
        </>
      )}
    </p>
    <pre className="code" tabIndex={0} aria-label={`Detail of ${id}`}>
      {JSON.stringify(detail, null, 2)}
    </pre>
  </div>
)

const Rows = ({ records }: { readonly records: readonly AuditRecord[] }) => {
  const [opened, setOpened] = useState<string | null>(null)
  return (
    <Table
      caption="Audit"
      rows={records}
      keyOf={({ id }) => id}
      testIdOf={() => 'audit-record'}
      columns={[
        { name: 'When', cell: ({ at }) => formatDateTime(at) },
        { name: 'Who', cell: ({ who }) => who },
        { name: 'What', cell: ({ action }) => <span className="number">{action}</span> },
        { name: 'Why', wideOnly: true, cell: ({ reason }) => reason },
        {
          name: 'Detail',
          cell: ({ id, action }) => (
            <Button
              small
              aria-expanded={opened === id}
              aria-label={`${opened === id ? 'Hide' : 'Show'} the detail of ${action}`}
              onClick={() => setOpened(opened === id ? null : id)}
            >
              {opened === id ? 'Hide' : 'Show'}
            </Button>
          ),
        },
      ]}
      detail={(record) => (opened === record.id ? <Detail record={record} /> : null)}
    />
  )
}

const recordsOf = (pages: readonly AuditPage[], view: 'all' | 'acts'): readonly AuditRecord[] =>
  pages.flatMap(({ records }) => records).filter(({ action }) => view === 'all' || !isReading(action))

/** Who did what, and who looked at what, newest first. */
export const Audit = () => {
  const { api } = usePlatform()
  const [view, setView] = useState<'all' | 'acts'>('all')
  const asked = useInfiniteQuery({
    queryKey: ['audit'],
    queryFn: ({ pageParam, signal }) => api.audit(pageParam, signal),
    initialPageParam: null as string | null,
    getNextPageParam: ({ nextBefore }) => nextBefore,
    // Further pages are a look at the past, which does not change.
    refetchInterval: ({ state }) => ((state.data?.pages.length ?? 1) > 1 ? false : REFRESH_MS),
  })
  return (
    <Panel title="Audit" testId="audit">
      <div className="views">
        <Choice legend="Which records" value={view} options={VIEWS} onValue={setView} />
      </div>
      <Shown what="the audit" asked={asked} explain={explain} lines={4}>
        {({ pages }) => {
          const records = recordsOf(pages, view)
          return records.length === 0 ? (
            <Empty title={view === 'acts' ? 'No acts among the records shown' : 'Nothing in the audit yet'} />
          ) : (
            <Rows records={records} />
          )
        }}
      </Shown>
      {asked.hasNextPage ? (
        <Button busy={asked.isFetchingNextPage} onClick={() => void asked.fetchNextPage()}>
          Show more
        </Button>
      ) : null}
    </Panel>
  )
}
