import type { BankOutcome } from '@bourse/bridge/client/types.ts'
import { createSeededIds, type SeededRandom } from '@bourse/common/testkit/seeded-random.ts'
import { isUnclear, type AnyAnswer, type History, type Request } from '../history/history.ts'
import type { SimulatedPlatform } from '../platform/exchange-platform.ts'
import type { World } from '../world/world.ts'
import { ask } from './ask.ts'
import { takesKey } from './identity.ts'

/** One request of a step, its key, and the step's chance. */
export interface Asking {
  readonly step: number
  readonly random: SeededRandom
  /** Null: not keyed, so that a command cannot be repeated; reads and quotes can. */
  readonly key: string | null
  readonly request: Request
  /** How long to wait for an answer, ms; absent: as the run's clients do. */
  readonly answerMs?: number
}

/** How long clients wait for an answer and how often they try. */
export interface Patience {
  readonly answerMs: number
  readonly attempts: number
}

/** All clients of a run: every call of theirs goes into the history and the trace. */
export interface Clients {
  /** Calls once; null when no answer came in time (one that comes later is told all the same). */
  call(asking: Asking): Promise<AnyAnswer | null>
  /** Calls until the answer is clear, with the same key, or gives up. What it heard last. */
  insist(asking: Asking, attempts?: number): Promise<AnyAnswer | null>
  pause(durationMs: number, what: string): Promise<void>
  /** What product code threw at its callers: it must refuse instead. */
  readonly thrown: readonly string[]
}

const EDGE_CHOICES = 64
const PAUSE_MS_MAX = 4_000

const isPending = (value: unknown): boolean => {
  const outcome = value as Partial<BankOutcome> | undefined
  if (outcome === undefined || outcome === null) return false
  return outcome.kind === 'pending' || (outcome.kind === 'final' && outcome.transaction?.status === 'PENDING')
}

/** Whether the answer leaves open what became of the request. */
export const isUnclearAnswer = (answer: AnyAnswer): boolean =>
  answer.ok ? isPending(answer.value) : isUnclear(answer.refusal)

/** An answer in a word: `OK`, `PENDING`, the code of a refusal, the code of a transaction that failed. */
export const wordOf = (answer: AnyAnswer): string => {
  if (!answer.ok) return answer.refusal.code
  if (isPending(answer.value)) return 'PENDING'
  const outcome = answer.value as Partial<BankOutcome> | undefined
  if (outcome?.kind !== 'final' || outcome.transaction === undefined) return 'OK'
  const { status, errorCode } = outcome.transaction
  return status === 'COMPLETED' ? 'OK' : (errorCode ?? status)
}

/** Makes the clients. `onAnswer` hears every answer. */
export const createClients = (deps: {
  readonly world: World
  readonly platform: Pick<SimulatedPlatform, 'edgeOf'>
  readonly history: History
  readonly patience: Patience
  readonly onAnswer: (request: Request, answer: AnyAnswer) => void
}): Clients => {
  const { world, platform, history, patience } = deps
  const thrown: string[] = []

  const pause = (durationMs: number, what: string): Promise<void> =>
    new Promise((resolve) => {
      world.schedule(durationMs, what, resolve)
    })

  const call: Clients['call'] = ({ step, random, key, request, answerMs = patience.answerMs }) => {
    const edge = platform.edgeOf(random.below(EDGE_CHOICES))
    const ids = createSeededIds(random)
    const hear = history.begin({ step, key, request })
    return new Promise((resolve) => {
      const giveUp = world.schedule(answerMs, `step ${step}: no answer`, () => resolve(null))
      const asked = async (): Promise<AnyAnswer> => ask(edge, ids, request, key)
      asked().then(
        (answer) => {
          hear(answer)
          world.trace.note(`${world.nowMs()} step ${step}: ${request.kind} ${wordOf(answer)}`)
          deps.onAnswer(request, answer)
          giveUp.cancel()
          resolve(answer)
        },
        (error: unknown) => {
          thrown.push(`step ${step}: ${request.kind} threw ${error instanceof Error ? error.message : String(error)}`)
          giveUp.cancel()
          resolve(null)
        },
      )
    })
  }

  const insist: Clients['insist'] = async (asking, attempts = patience.attempts) => {
    const { step, random, key, request } = asking
    let answer = await call(asking)
    for (let attempt = 1; attempt < attempts; attempt++) {
      if (answer !== null && !isUnclearAnswer(answer)) return answer
      // Without its key a command would be another one.
      if (key === null && takesKey(request)) return answer
      await pause(Math.min(random.between(10, 300) * attempt, PAUSE_MS_MAX), `step ${step}: again`)
      answer = await call(asking)
    }
    return answer
  }

  return { call, insist, pause, thrown }
}
