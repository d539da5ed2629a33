import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { Button } from '../design/controls.tsx'
import { Shown } from '../design/shown.tsx'
import { Badge, Banner, Empty, Fact, Facts, Panel, Text } from '../design/surfaces.tsx'
import { Table } from '../design/table.tsx'
import { useNow } from '../design/use-now.ts'
import { formatDecimal } from '../format/decimal.ts'
import { formatAge, formatDateTime } from '../format/time.ts'
import type { Platform } from './api.ts'
import { Audit } from './audit.tsx'
import { usePlatform } from './desk.ts'
import { lagMax, OLD_MS, summaryOf } from './partitions.ts'
import { Partitions } from './partitions-panel.tsx'
import { explain } from './words.ts'

/** A page that is hidden asks nothing. */
const REFRESH_MS = 2_000

const Readiness = ({ platform }: { readonly platform: Platform }) => {
  const { ready, reasons, partitions, viewsAsOf } = platform
  const lag = lagMax(partitions)
  return (
    <Panel title="Readiness" testId="platform-readiness">
      {ready ? (
        <Banner tone="good" title="The platform takes commands">
          {summaryOf(partitions)}
        </Banner>
      ) : (
        <Banner tone="danger" title="The platform takes no commands">
          <ul className="reasons">
            {reasons.map((reason) => (
              <li key={reason}>{reason}</li>
            ))}
          </ul>
          {summaryOf(partitions)}
        </Banner>
      )}
      <Facts>
        <Fact name="Partitions">{partitions.length}</Fact>
        <Fact name="Shards">{platform.shards.length}</Fact>
        <Fact name="Lists complete up to">
          <Text>{viewsAsOf === null ? 'not known' : formatDateTime(viewsAsOf)}</Text>
        </Fact>
        <Fact name="Records the lists lack, at most">{lag === null ? 'not known' : formatDecimal(lag)}</Fact>
      </Facts>
    </Panel>
  )
}

const Shards = ({ platform: { shards, asOf } }: { readonly platform: Platform }) => (
  <Panel title="Shards">
    {shards.length === 0 ? (
      <Empty title="No shard has spoken">Shards say every moment what they serve.</Empty>
    ) : (
      <Table
        caption="Shards"
        rows={shards}
        keyOf={({ name }) => name}
        testIdOf={({ name }) => `shard-${name}`}
        columns={[
          { name: 'Shard', cell: ({ name }) => <span className="number">{name}</span> },
          { name: 'Partitions', numeric: true, cell: ({ partitions }) => partitions.length },
          {
            name: 'Last word',
            numeric: true,
            cell: ({ heardAt }) => `${formatAge(Date.parse(asOf) - Date.parse(heardAt))} before`,
          },
        ]}
      />
    )}
  </Panel>
)

/** How old what is shown is, by this tab's own clock since the answer came. */
const Age = ({ atMs, isPaused }: { readonly atMs: number; readonly isPaused: boolean }) => {
  const now = useNow(500)
  const ageMs = now - atMs
  const isOld = ageMs >= OLD_MS
  return (
    <span data-testid="platform-age">
      <Badge tone={isOld ? 'warn' : 'plain'}>
        {formatAge(ageMs)} old{isPaused ? ', paused' : ''}
      </Badge>
    </span>
  )
}

/** The platform as it stands: readiness, shards, partitions, audit; read again every two seconds while it is looked at. */
export const PlatformOverview = ({ onLock }: { readonly onLock: () => void }) => {
  const { api, who } = usePlatform()
  const [isPaused, setPaused] = useState(false)
  const asked = useQuery({
    queryKey: ['platform'],
    queryFn: ({ signal }) => api.platform(signal),
    refetchInterval: isPaused ? false : REFRESH_MS,
    refetchIntervalInBackground: false,
    staleTime: 0,
  })
  return (
    <>
      <div className="row-between">
        <div className="row">
          <h1>Platform</h1>
          {asked.dataUpdatedAt === 0 ? null : <Age atMs={asked.dataUpdatedAt} isPaused={isPaused} />}
        </div>
        <div className="row">
          <Button small aria-pressed={isPaused} onClick={() => setPaused(!isPaused)} data-testid="platform-pause">
            {isPaused ? 'Go on' : 'Pause'}
          </Button>
          <Button small onClick={onLock} data-testid="platform-lock">
            Lock
          </Button>
        </div>
      </div>
      <p className="soft small">
        Read-only, every 2 seconds while this page is visible. Looking is journaled as {who === '' ? 'admin' : who},
        once a minute.
      </p>
      <Shown what="the platform" asked={asked} explain={explain} lines={8}>
        {(platform) => (
          <>
            <div className="platform-two">
              <Readiness platform={platform} />
              <Shards platform={platform} />
            </div>
            <Partitions platform={platform} />
          </>
        )}
      </Shown>
      <Audit />
    </>
  )
}
