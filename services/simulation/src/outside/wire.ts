import { Ajv, type ValidateFunction } from 'ajv'
import { playCall, refusal, type SimulatedCall } from '@bourse/common/simulator/call.ts'
import type { Fault } from '@bourse/common/simulator/faults.ts'
import type { NetworkHandler } from '../ports/ground.ts'
import type { World } from '../world/world.ts'

/** What answers calls at a network address. */
export interface WireDeps {
  readonly name: string
  readonly world: World
  readonly nowMs: () => number
  readonly calls: readonly SimulatedCall[]
  /** Compiled schemas by call name. */
  readonly schemas: ReadonlyMap<string, ValidateFunction>
  /** The fault that strikes this call, if any. */
  readonly faultOf: () => Fault | undefined
}

/** Compiles the schemas of a simulator's calls: once for all seeds of a process. */
export const compileCalls = (
  calls: readonly Pick<SimulatedCall, 'on' | 'schema'>[],
): ReadonlyMap<string, ValidateFunction> => {
  const ajv = new Ajv({ strict: true, strictRequired: false })
  return new Map(calls.map((call) => [call.on, ajv.compile(call.schema)]))
}

/** Serves a simulator's calls, under faults, to the simulated network: what its HTTP service does, without HTTP. */
export const createWire =
  ({ name, world, nowMs, calls, schemas, faultOf }: WireDeps): NetworkHandler =>
  ({ method, path, query, headers, body }) => {
    const call = calls.find((one) => one.method === method && one.path === path)
    if (call === undefined) throw new Error(`${name} was asked for ${method} ${path}, which it has not got`)
    const input: unknown = method === 'POST' ? JSON.parse(body) : Object.fromEntries(query)
    const note = (said: string): void => world.trace.note(`${world.nowMs()} ${name} ${call.on} ${said}`)
    if (schemas.get(call.on)?.(input) !== true) {
      const refused = refusal(400, 'INVALID_REQUEST', `not what ${call.on} takes`)
      note(refused.text)
      return { answer: refused, delayMs: 0 }
    }
    const context = { nowMs: nowMs(), bytes: Buffer.from(body), header: (field: string) => headers[field] ?? '' }
    const played = playCall(faultOf(), (refused) => call.work(input as never, { ...context, refused }))
    const [first = null] = played.answers
    note(`${played.delivery.kind} ${first?.text ?? 'nothing'}`)
    switch (played.delivery.kind) {
      case 'never':
        return { answer: null, delayMs: 0 }
      case 'cut':
        return { answer: 'cut', delayMs: 0 }
      case 'later':
        return { answer: first, delayMs: played.delivery.ms }
      case 'now':
        return { answer: first, delayMs: 0 }
    }
  }
