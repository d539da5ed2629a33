import { refuse, type Refusal, type RefusalCode, type Result } from '@bourse/common/errors/codes.ts'
import type { Clock } from '@bourse/common/ports/clock.ts'
import type { Directory } from '@bourse/common/ports/directory.ts'
import type { Ids } from '@bourse/common/ports/ids.ts'

/** An administrative act: who does what and why, under which key. */
export interface Act {
  readonly who: string
  readonly action: string
  readonly reason: string
  readonly idempotencyKey: string
  /** Hex. */
  readonly requestHash: string
  readonly detail: object
}

/** Journals acts before they are done and does each at most once per key. */
export interface Acts {
  /**
   * Does `run` unless the key has an outcome already, which is answered instead; `IDEMPOTENCY_CONFLICT` when
   * the key belongs to another act.
   * After a crash between journal and outcome a repeat runs again: `run` must be safe to repeat soon after.
   */
  perform(act: Act, run: () => Promise<Result<object>>): Promise<Result<object>>
  /** Journals that something was read. */
  noteRead(who: string, action: string, reason: string, detail: object): Promise<void>
}

/** Refusals that say "not now": they are no outcome. */
const TRANSIENT: ReadonlySet<RefusalCode> = new Set<RefusalCode>([
  'UNAVAILABLE',
  'RATE_LIMITED',
  'ENGINE_FAULT',
  'CAPACITY_EXCEEDED',
])
const MOMENT_DIGITS = 14

type Outcome = { readonly ok: true; readonly value: object } | { readonly ok: false; readonly refusal: Refusal }

/** Acts over the directory's audit and settings. */
export const createActs = ({
  directory,
  clock,
  ids,
}: {
  readonly directory: Directory
  readonly clock: Clock
  readonly ids: Ids
}): Acts => {
  const running = new Map<string, Promise<Result<object>>>()
  const settingOf = (key: string): string => `admin-outcome:${key}`
  /** Sorts by time, so that pages of the audit are stable whatever the adapter orders by. */
  const recordId = (atMs: number): string => `${String(atMs).padStart(MOMENT_DIGITS, '0')}-${ids.uuid()}`

  const journaled = async (act: Act, run: () => Promise<Result<object>>): Promise<Result<object>> => {
    const atMs = clock.nowMs()
    const { detail, ...named } = act
    const first = await directory.recordAudit({ id: recordId(atMs), atMs, ...named, detail: JSON.stringify(detail) })
    if (first.requestHash !== act.requestHash || first.action !== act.action) {
      return refuse('IDEMPOTENCY_CONFLICT', 'this x-idempotency-key belongs to another call; send a new one')
    }
    const kept = await directory.setting(settingOf(act.idempotencyKey))
    if (kept !== null) return JSON.parse(kept) as Outcome
    const outcome = await run()
    if (!outcome.ok && TRANSIENT.has(outcome.refusal.code)) return outcome
    return JSON.parse(await directory.setSettingOnce(settingOf(act.idempotencyKey), JSON.stringify(outcome))) as Outcome
  }

  return {
    perform: async (act, run) => {
      // A repeat that comes while the first is under way waits for it, then finds its outcome.
      const before = running.get(act.idempotencyKey)
      if (before !== undefined) await before.catch(() => undefined)
      const task = journaled(act, run)
      running.set(act.idempotencyKey, task)
      try {
        return await task
      } finally {
        if (running.get(act.idempotencyKey) === task) running.delete(act.idempotencyKey)
      }
    },
    noteRead: async (who, action, reason, detail) => {
      const atMs = clock.nowMs()
      await directory.recordAudit({
        id: recordId(atMs),
        atMs,
        who,
        action,
        reason,
        idempotencyKey: ids.uuid(),
        requestHash: '',
        detail: JSON.stringify(detail),
      })
    },
  }
}
