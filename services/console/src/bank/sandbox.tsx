import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { Link } from 'wouter'
import { Button } from '../design/controls.tsx'
import { Refused } from '../design/refusal.tsx'
import { Shown } from '../design/shown.tsx'
import { Banner, Empty, Panel } from '../design/surfaces.tsx'
import { useDesk } from './desk.ts'
import { explain } from './desk-words.ts'
import { experiments, movedPrices, type Experiment } from './experiments.ts'
import { simulators, type Simulator } from './faults.ts'
import { pathOf } from './pages.ts'
import { SandboxControls } from './sandbox-controls.tsx'
import { SandboxLog } from './sandbox-log.tsx'
import type { SandboxControl, SandboxDoors } from './shapes.ts'

/** Sets up an experiment: its faults come before those that are there, prices move from what they are now. */
const useExperiment = () => {
  const { api } = useDesk()
  const queries = useQueryClient()
  return useMutation({
    mutationFn: async ({ simulator, faults, pricePercent }: Experiment) => {
      const now = await api.control(simulator)
      const change: Partial<SandboxControl> = {
        ...(faults.length === 0 ? {} : { faults: [...faults, ...now.faults] }),
        ...(pricePercent === 0 ? {} : { prices: movedPrices(now.prices ?? {}, pricePercent) }),
      }
      return { simulator, control: await api.setControl(simulator, change) }
    },
    onSuccess: ({ simulator, control }) => queries.setQueryData(['control', simulator], control),
  })
}

const Experiments = ({ doors }: { readonly doors: SandboxDoors }) => {
  const run = useExperiment()
  const [last, setLast] = useState<Experiment | null>(null)
  const start = (experiment: Experiment): void => {
    setLast(null)
    run.mutate(experiment, { onSuccess: () => setLast(experiment) })
  }
  return (
    <Panel title="Experiments">
      <p className="soft">
        One press makes something go wrong on purpose. Then do what it says and watch: the answer, the transaction, the
        logs below.
      </p>
      {run.error === null ? null : <Refused {...explain(run.error)} />}
      {last === null ? null : (
        <div data-testid="sandbox-ready">
          <Banner
            tone="good"
            title={`Ready: ${last.title}`}
            action={<Link href={pathOf('trade')}>Quote and trade</Link>}
            onClose={() => setLast(null)}
          >
            {last.then} {last.see}
          </Banner>
        </div>
      )}
      <ul className="experiments">
        {experiments
          .filter(({ simulator }) => doors[simulator])
          .map((experiment) => (
            <li key={experiment.name} className="experiment">
              <h3>{experiment.title}</h3>
              <p className="small soft">{experiment.then}</p>
              <p className="small">{experiment.see}</p>
              <Button
                small
                busy={run.isPending && run.variables.name === experiment.name}
                disabled={run.isPending}
                onClick={() => start(experiment)}
                aria-label={`Set it up: ${experiment.title}`}
                data-testid={`sandbox-${experiment.name}`}
              >
                Set it up
              </Button>
            </li>
          ))}
      </ul>
    </Panel>
  )
}

const NAMES: Readonly<Record<Simulator, string>> = {
  exchange: 'The simulated exchange',
  bank: 'The simulated bank',
}

const Doors = ({ doors }: { readonly doors: SandboxDoors }) => {
  const open = simulators.filter((simulator) => doors[simulator])
  return (
    <>
      <Experiments doors={doors} />
      <div className="bank-two">
        {open.map((simulator) => (
          <SandboxControls key={simulator} simulator={simulator} title={NAMES[simulator]} />
        ))}
      </div>
      <div className="bank-two">
        {open.map((simulator) => (
          <SandboxLog
            key={simulator}
            simulator={simulator}
            title={`Calls that ${NAMES[simulator].toLowerCase()} got`}
          />
        ))}
      </div>
    </>
  )
}

/** What a bank's developer sees go wrong: only where the platform runs its own simulators. */
export const Sandbox = () => {
  const { api } = useDesk()
  const asked = useQuery({ queryKey: ['sandbox'], queryFn: ({ signal }) => api.sandbox(signal), staleTime: Infinity })
  return (
    <Shown what="the sandbox" asked={asked} explain={explain}>
      {(doors) =>
        doors === null || (!doors.exchange && !doors.bank) ? (
          <Panel title="Sandbox">
            <Empty title="No sandbox here">This platform talks to a real exchange and a real bank.</Empty>
          </Panel>
        ) : (
          <Doors doors={doors} />
        )
      }
    </Shown>
  )
}
