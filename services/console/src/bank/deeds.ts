import { createStore, type Store } from '../session/store.ts'
import { answered, begin, isOpen, NO_INTENT, refused, repeat } from './intent.ts'
import type { Deed, DeedAnswer, DeedRefusal, Intent } from './intent.ts'

/** Does one deed at a time and knows where it is, whatever page is shown meanwhile. */
export interface Deeds extends Store<Intent> {
  /** Sends a deed. False, and nothing is sent, while the end of another one is open. */
  send(deed: Deed): Promise<boolean>
  /** Sends the same deed with the same key again. */
  askAgain(): Promise<void>
  /** Shows nothing of the last deed any more; what it did stays done. */
  forget(): void
}

/** What deeds are done with. */
export interface DeedsDeps {
  readonly perform: (deed: Deed, key: string) => Promise<DeedAnswer>
  readonly makeKey: () => string
  /** The refusal behind what was thrown. */
  readonly refusalOf: (error: unknown) => DeedRefusal
  /** A deed was answered or refused: what was read before may be old. */
  readonly onEnd: (intent: Intent) => void
}

/** Nothing under way. */
export const createDeeds = ({ perform, makeKey, refusalOf, onEnd }: DeedsDeps): Deeds => {
  const intent = createStore<Intent>(NO_INTENT)
  const now = intent.getSnapshot

  const carryOut = async (next: Intent): Promise<void> => {
    intent.set(next)
    if (next.step !== 'sending') return
    const { deed, key } = next
    try {
      const answer = await perform(deed, key)
      intent.set(answered(now(), key, answer))
    } catch (error) {
      intent.set(refused(now(), key, refusalOf(error)))
    }
    onEnd(now())
  }

  return {
    subscribe: intent.subscribe,
    getSnapshot: now,
    send: async (deed) => {
      if (isOpen(now())) return false
      await carryOut(begin(now(), deed, makeKey))
      return true
    },
    askAgain: async () => {
      const before = now()
      if (before.step !== 'none' && before.step !== 'sending') await carryOut(repeat(before))
    },
    forget: () => {
      if (now().step !== 'sending') intent.set(NO_INTENT)
    },
  }
}
