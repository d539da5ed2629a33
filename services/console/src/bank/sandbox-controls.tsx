import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { Button, NumberField, SelectField, TextField } from '../design/controls.tsx'
import { Refused } from '../design/refusal.tsx'
import { Shown } from '../design/shown.tsx'
import { Panel } from '../design/surfaces.tsx'
import { formatDecimal } from '../format/decimal.ts'
import { parseInput } from '../format/input.ts'
import { useDesk } from './desk.ts'
import { explain } from './desk-words.ts'
import { FAULT_CALLS, FAULT_KINDS, faultWords, readFault, withFault, withoutFault } from './faults.ts'
import type { Fault, FaultForm, FaultKind, Simulator } from './faults.ts'
import type { SandboxControl } from './shapes.ts'

type Change = (change: Partial<SandboxControl>) => void

interface FaultsProps {
  readonly simulator: Simulator
  readonly faults: readonly Fault[]
  readonly busy: boolean
  readonly onChange: Change
}

const FaultList = ({ simulator, faults, busy, onChange }: FaultsProps) =>
  faults.length === 0 ? (
    <p className="soft" data-testid={`sandbox-${simulator}-calm`}>
      No faults: everything is answered as it should be.
    </p>
  ) : (
    <>
      <ul className="faults">
        {faults.map((fault, index) => (
          // Faults have no id, and two alike are alike: their place is what tells them apart.
          <li key={index} className="row-between" data-testid={`sandbox-${simulator}-fault`}>
            <span className="small">{faultWords(simulator, fault)}</span>
            <Button
              small
              busy={busy}
              aria-label={`Remove: ${faultWords(simulator, fault)}`}
              onClick={() => onChange({ faults: withoutFault(faults, index) })}
            >
              Remove
            </Button>
          </li>
        ))}
      </ul>
      <Button small busy={busy} onClick={() => onChange({ faults: [] })} data-testid={`sandbox-${simulator}-clear`}>
        Remove all faults
      </Button>
    </>
  )

const optionsOf = (words: Readonly<Record<string, string>>) =>
  Object.entries(words).map(([value, label]) => ({ value, label: `${value}: ${label}` }))

const FaultForms = ({ simulator, faults, busy, onChange }: FaultsProps) => {
  const [first = ''] = Object.keys(FAULT_CALLS[simulator])
  const [form, setForm] = useState<FaultForm>({ on: first, kind: 'reject', count: '1', ms: '3000' })
  const [wrong, setWrong] = useState<{ readonly field: string; readonly words: string } | null>(null)
  const faultAt = (field: string): string | null => (wrong?.field === field ? wrong.words : null)
  return (
    <form
      className="stack"
      onSubmit={(event) => {
        event.preventDefault()
        const read = readFault(simulator, form)
        setWrong(read.ok ? null : read)
        if (read.ok) onChange({ faults: withFault(faults, read.fault) })
      }}
    >
      <SelectField
        label="On"
        value={form.on}
        onValue={(on) => setForm({ ...form, on })}
        fault={faultAt('on')}
        options={optionsOf(FAULT_CALLS[simulator])}
        data-testid={`sandbox-${simulator}-on`}
      />
      <SelectField
        label="What goes wrong"
        value={form.kind}
        onValue={(kind) => setForm({ ...form, kind: kind as FaultKind })}
        options={optionsOf(FAULT_KINDS)}
        data-testid={`sandbox-${simulator}-kind`}
      />
      <div className="field-row">
        <TextField
          label="How often"
          inputMode="numeric"
          value={form.count}
          onValue={(count) => setForm({ ...form, count })}
          fault={faultAt('count')}
          hint="Empty: until removed."
          autoComplete="off"
          data-testid={`sandbox-${simulator}-count`}
        />
        {form.kind === 'slow' ? (
          <TextField
            label="Late by"
            unit="ms"
            inputMode="numeric"
            value={form.ms}
            onValue={(ms) => setForm({ ...form, ms })}
            fault={faultAt('ms')}
            autoComplete="off"
            data-testid={`sandbox-${simulator}-ms`}
          />
        ) : null}
      </div>
      <Button type="submit" busy={busy} data-testid={`sandbox-${simulator}-add`}>
        Add this fault
      </Button>
    </form>
  )
}

const Price = ({
  symbol,
  price,
  busy,
  onChange,
}: {
  symbol: string
  price: string
  busy: boolean
  onChange: Change
}) => {
  const [typed, setTyped] = useState('')
  const [fault, setFault] = useState<string | null>(null)
  return (
    <form
      className="search"
      onSubmit={(event) => {
        event.preventDefault()
        const input = parseInput(typed)
        setFault(input.ok ? null : `A price: ${input.words}.`)
        if (!input.ok) return
        onChange({ prices: { [symbol]: input.value } })
        setTyped('')
      }}
    >
      <NumberField
        label={`Price of ${symbol}, now ${formatDecimal(price, { maxDecimals: 8 })}`}
        value={typed}
        onValue={setTyped}
        fault={fault}
        placeholder={price}
        data-testid={`sandbox-price-${symbol}`}
      />
      <Button type="submit" busy={busy}>
        Set
      </Button>
    </form>
  )
}

/** What is in force at a simulator, and forms to change it. */
export const SandboxControls = ({ simulator, title }: { readonly simulator: Simulator; readonly title: string }) => {
  const { api } = useDesk()
  const queries = useQueryClient()
  const asked = useQuery({
    queryKey: ['control', simulator],
    queryFn: ({ signal }) => api.control(simulator, signal),
    refetchInterval: 2_000,
  })
  const change = useMutation({
    mutationFn: (told: Partial<SandboxControl>) => api.setControl(simulator, told),
    onSuccess: (control) => queries.setQueryData(['control', simulator], control),
  })
  return (
    <Panel title={title} testId={`sandbox-${simulator}`}>
      {change.error === null ? null : <Refused {...explain(change.error)} />}
      <Shown what="what is in force" asked={asked} explain={explain}>
        {({ faults, prices }) => (
          <>
            {Object.entries(prices ?? {}).map(([symbol, price]) => (
              <Price key={symbol} symbol={symbol} price={price} busy={change.isPending} onChange={change.mutate} />
            ))}
            <h3>Faults</h3>
            <FaultList simulator={simulator} faults={faults} busy={change.isPending} onChange={change.mutate} />
            <FaultForms simulator={simulator} faults={faults} busy={change.isPending} onChange={change.mutate} />
          </>
        )}
      </Shown>
    </Panel>
  )
}
