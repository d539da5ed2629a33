import { useState, type ReactNode } from 'react'
import { Choice } from '../design/controls.tsx'
import { Badge, Empty, Panel } from '../design/surfaces.tsx'
import { Table } from '../design/table.tsx'
import { formatDecimal, signOf } from '../format/decimal.ts'
import { formatAge } from '../format/time.ts'
import type { Platform, PlatformPartition } from './api.ts'
import { partitionsOf, recordsToReplay, STATE_WORDS, VIEW_NAMES, views, type View } from './partitions.ts'

const OPTIONS = views.map((value) => ({ value, label: VIEW_NAMES[value] }))

const Count = ({ count }: { readonly count: string | null }) =>
  count === null ? <span className="soft">not known</span> : formatDecimal(count)

const Snapshot = ({ partition, asOf }: { readonly partition: PlatformPartition; readonly asOf: string }): ReactNode => {
  const { snapshotSequence, snapshotAt } = partition
  if (snapshotSequence === null) return <span className="soft">none known</span>
  return (
    <>
      <div>{formatDecimal(snapshotSequence)}</div>
      <div className="small soft">
        {snapshotAt === null ? 'age not told' : `${formatAge(Date.parse(asOf) - Date.parse(snapshotAt))} old`}
      </div>
    </>
  )
}

const State = ({ partition: { state, reason } }: { readonly partition: PlatformPartition }) => (
  <>
    <Badge tone={STATE_WORDS[state].tone}>{STATE_WORDS[state].words}</Badge>
    {reason === null ? null : <div className="small">{reason}</div>}
  </>
)

/** Every partition: state, journal, snapshot, how far the lists are behind. */
export const Partitions = ({ platform: { partitions, asOf } }: { readonly platform: Platform }) => {
  const [view, setView] = useState<View>('all')
  const rows = partitionsOf(partitions, view)
  return (
    <Panel title="Partitions">
      <div className="views">
        <Choice legend="Which partitions" value={view} options={OPTIONS} onValue={setView} />
      </div>
      {rows.length === 0 ? (
        <Empty title={view === 'troubled' ? 'All of them serve' : 'None of these'} />
      ) : (
        <Table
          caption="Partitions"
          rows={rows}
          keyOf={({ name }) => name}
          testIdOf={({ name }) => `partition-${name}`}
          columns={[
            { name: 'Partition', cell: ({ name }) => <span className="number">{name}</span> },
            { name: 'State', cell: (partition) => <State partition={partition} /> },
            { name: 'Sequence', numeric: true, cell: ({ sequence }) => <Count count={sequence} /> },
            {
              name: 'Newest snapshot',
              numeric: true,
              cell: (partition) => <Snapshot partition={partition} asOf={asOf} />,
            },
            {
              name: 'To replay',
              numeric: true,
              wideOnly: true,
              cell: (partition) => <Count count={recordsToReplay(partition)} />,
            },
            {
              name: 'Lists lack',
              numeric: true,
              cell: ({ viewLagRecords }) =>
                viewLagRecords !== null && signOf(viewLagRecords) === 0 ? 'nothing' : <Count count={viewLagRecords} />,
            },
            {
              name: 'Shard',
              wideOnly: true,
              cell: ({ shard }) => (shard === null ? <span className="soft">none</span> : shard),
            },
          ]}
        />
      )}
      <p className="soft small">
        A sequence is the partition’s last journaled record. After a crash it replays the records since its newest
        snapshot.
      </p>
    </Panel>
  )
}
