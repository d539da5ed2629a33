import { useMutation, useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { Button, TextField } from '../design/controls.tsx'
import { Refused } from '../design/refusal.tsx'
import { Shown } from '../design/shown.tsx'
import { Empty, Fact, Facts, Panel } from '../design/surfaces.tsx'
import { Table } from '../design/table.tsx'
import { formatMoney } from '../format/decimal.ts'
import { formatDateTime, formatTime, userZone } from '../format/time.ts'
import { useDesk, useSelf } from './desk.ts'
import { explain } from './desk-words.ts'
import { csvName, PRESET_NAMES, presets, rangeOfPreset, readRange, toLocalInput, type Range } from './ranges.ts'
import { saveFile } from './save-file.ts'
import type { Statement } from './shapes.ts'
import { kindWords, ownerWords } from './transaction-words.ts'

/** Entries shown at a time; all of them are in the file. */
const SHOWN_MORE = 200

interface Balance {
  readonly currency: string
  readonly balance: string
}

const Balances = ({ name, balances }: { readonly name: string; readonly balances: readonly Balance[] }) => (
  <div>
    <h3>{name}</h3>
    {balances.length === 0 ? (
      <p className="soft">Nothing.</p>
    ) : (
      <Facts>
        {balances.map(({ currency, balance }) => (
          <Fact key={currency} name={currency}>
            {formatMoney(balance, currency)}
          </Fact>
        ))}
      </Facts>
    )}
  </div>
)

const Entries = ({ entries }: Pick<Statement, 'entries'>) => {
  const [shown, setShown] = useState(SHOWN_MORE)
  if (entries.length === 0) return <Empty title="No entries in this time">Nothing of your customers moved.</Empty>
  return (
    <>
      <Table
        caption="Entries of the statement"
        rows={entries.slice(0, shown)}
        keyOf={({ id }) => id}
        testIdOf={() => 'statement-entry'}
        columns={[
          { name: 'When', cell: ({ createdAt }) => formatDateTime(createdAt) },
          { name: 'Customer', cell: ({ bankUserId }) => bankUserId },
          { name: 'Account', wideOnly: true, cell: ({ accountId }) => ownerWords(accountId) },
          { name: 'Kind', wideOnly: true, cell: ({ type }) => kindWords(type) },
          {
            name: 'Amount',
            numeric: true,
            cell: ({ amount, currency }) => formatMoney(amount, currency, { sign: true }),
          },
          {
            name: 'Balance after',
            numeric: true,
            wideOnly: true,
            cell: ({ balanceAfter, currency }) => formatMoney(balanceAfter, currency),
          },
        ]}
      />
      {entries.length > shown ? (
        <Button onClick={() => setShown(shown + SHOWN_MORE)}>
          Show more ({entries.length - shown} of {entries.length} not shown)
        </Button>
      ) : null}
    </>
  )
}

const Shows = ({ range }: { readonly range: Range }) => {
  const { api } = useDesk()
  const { data: bank } = useSelf()
  const asked = useQuery({
    queryKey: ['statement', range],
    queryFn: ({ signal }) => api.statement(range, signal),
    staleTime: 60_000,
  })
  const csv = useMutation({
    mutationFn: () => api.statementCsv(range),
    onSuccess: (text) => saveFile(csvName(bank?.name ?? 'bank', range), 'text/csv;charset=utf-8', text),
  })
  return (
    <Panel
      title={`${formatDateTime(range.fromMs)} to ${formatDateTime(range.toMs)}`}
      testId="statement"
      aside={
        <Button busy={csv.isPending} onClick={() => csv.mutate()} data-testid="statement-csv">
          Download CSV
        </Button>
      }
    >
      {csv.error === null ? null : <Refused {...explain(csv.error)} tone="warn" />}
      <Shown what="the statement" asked={asked} explain={explain} lines={6}>
        {(statement) => (
          <>
            <div className="bank-three">
              <Balances name="Opening balances" balances={statement.opening} />
              <Balances name="Closing balances" balances={statement.closing} />
              <Balances
                name="Spread earned"
                balances={statement.spreadEarned.map(({ currency, amount }) => ({ currency, balance: amount }))}
              />
            </div>
            <Entries entries={statement.entries} />
            <p className="soft small">
              As of {formatTime(statement.asOf)}. The end is not included; times are of {userZone()}. The file has the
              same rows with times in UTC.
            </p>
          </>
        )}
      </Shown>
    </Panel>
  )
}

/** The bank's statement of a time: balances before and after, the spread earned, every entry, and all of it as a file. */
export const StatementPage = () => {
  const [range, setRange] = useState<Range>(() => rangeOfPreset('today', Date.now()))
  const [from, setFrom] = useState(() => toLocalInput(range.fromMs))
  const [to, setTo] = useState(() => toLocalInput(range.toMs))
  const [fault, setFault] = useState<string | null>(null)
  const show = (next: Range): void => {
    setRange(next)
    setFrom(toLocalInput(next.fromMs))
    setTo(toLocalInput(next.toMs))
    setFault(null)
  }
  return (
    <>
      <Panel title="Statement">
        <div className="row">
          {presets.map((preset) => (
            <Button
              key={preset}
              small
              onClick={() => show(rangeOfPreset(preset, Date.now()))}
              data-testid={`statement-${preset}`}
            >
              {PRESET_NAMES[preset]}
            </Button>
          ))}
        </div>
        <form
          className="search search-two"
          onSubmit={(event) => {
            event.preventDefault()
            const read = readRange(from, to)
            if (read.ok) show({ fromMs: read.fromMs, toMs: read.toMs })
            else setFault(read.words)
          }}
        >
          <TextField
            label={`From (${userZone()})`}
            type="datetime-local"
            value={from}
            onValue={setFrom}
            fault={fault}
            data-testid="statement-from"
          />
          <TextField
            label="To, not included"
            type="datetime-local"
            value={to}
            onValue={setTo}
            data-testid="statement-to"
          />
          <Button type="submit" data-testid="statement-show">
            Show
          </Button>
        </form>
      </Panel>
      <Shows key={`${range.fromMs}-${range.toMs}`} range={range} />
    </>
  )
}
