import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { Shown } from '../design/shown.tsx'
import { Empty, Panel } from '../design/surfaces.tsx'
import { formatTime } from '../format/time.ts'
import { useDesk } from './desk.ts'
import { explain } from './desk-words.ts'
import type { Simulator } from './faults.ts'
import { createLogTail, summaryOf } from './log-tail.ts'
import type { SimulatorCall } from './shapes.ts'

const Call = ({ call }: { readonly call: SimulatorCall }) => (
  <li className="event">
    <details>
      <summary>
        <span className="soft small">{formatTime(call.at)}</span>
        <span className="number">
          {call.method} {call.path}
        </span>
        {call.answer === null ? (
          <strong className="small down">no answer</strong>
        ) : (
          <span className="number small soft cut">{summaryOf(call.answer)}</span>
        )}
      </summary>
      <pre className="code" tabIndex={0} aria-label={`Call ${call.seq}`}>
        {JSON.stringify({ asked: call.body, answered: call.answer }, null, 2)}
      </pre>
    </details>
  </li>
)

/** The calls a simulator got, the newest first, as they come. */
export const SandboxLog = ({ simulator, title }: { readonly simulator: Simulator; readonly title: string }) => {
  const { api } = useDesk()
  const [tail] = useState(() => createLogTail((after, limit, signal) => api.log(simulator, after, limit, signal)))
  const asked = useQuery({
    queryKey: ['log', simulator],
    queryFn: ({ signal }) => tail.read(signal),
    refetchInterval: 2_000,
  })
  return (
    <Panel title={title} testId={`sandbox-${simulator}-log`}>
      <Shown what="the log" asked={asked} explain={explain}>
        {(calls) =>
          calls.length === 0 ? (
            <Empty title="No calls yet">Quote or trade for a customer, and they show here.</Empty>
          ) : (
            <ol className="events log">
              {calls.map((call) => (
                <Call key={call.seq} call={call} />
              ))}
            </ol>
          )
        }
      </Shown>
    </Panel>
  )
}
