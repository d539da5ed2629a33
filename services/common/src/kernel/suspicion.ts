import { decodeHeader, shownCommandId } from './command.ts'
import type { InboxItem } from './inbox.ts'

/** What is in hand when a machine throws: an item of the inbox, or a command that the runner made itself. */
export type Suspect<Observation> = InboxItem<Observation> | 'own'

/** What a log line says of a suspect: the id of its command, where it has one. */
export const fieldsOfSuspect = (suspect: Suspect<unknown> | null): { readonly commandId?: string } =>
  suspect === null || suspect === 'own' || suspect.kind === 'observation'
    ? {}
    : { commandId: shownCommandId(decodeHeader(suspect.command).id) }

/** What to do after a trap: rebuild the state and go on, or give the partition up. */
export type TrapVerdict = 'try-again' | 'hopeless'

/**
 * Finds the command that traps. After a trap the waiting commands are tried alone; the one that traps again is refused, it
 * and no other: if it is gone by then (its asker stopped waiting), nobody is refused in its place.
 */
export interface Suspicion<Observation> {
  /** Whether each command is to be a record of its own. */
  readonly alone: boolean
  /** What is to be refused ENGINE_FAULT when it comes, null when nothing is. */
  readonly refused: Suspect<Observation> | null
  /**
   * A trap. `suspect` is what was in hand, null when that is not known; `waiting` counts the items of the inbox.
   * Hopeless is a command that traps even while it is refused, and an own command (a deadline, a continuation) that is still
   * due after it was refused: no order of the others helps.
   */
  trapped(suspect: Suspect<Observation> | null, waiting: number): TrapVerdict
  /** A step went well; `wasOwn` says whether its command was the runner's own. */
  passed(wasOwn: boolean): void
}

/** Makes a suspicion that suspects nobody. */
export const createSuspicion = <Observation>(): Suspicion<Observation> => {
  let remaining = 0
  let refused: Suspect<Observation> | null = null
  let ownWasRefused = false

  return {
    get alone() {
      return remaining > 0
    },
    get refused() {
      return refused
    },
    trapped: (suspect, waiting) => {
      if (remaining === 0) {
        // One step more for a command of the runner's own.
        remaining = waiting + 1
        return 'try-again'
      }
      const before = refused
      refused = null
      if (suspect === null) return 'try-again'
      if (suspect === 'own' && ownWasRefused) return 'hopeless'
      if (suspect !== before) {
        refused = suspect
        return 'try-again'
      }
      // A refused observation was not put back: nothing of it is journaled.
      return suspect !== 'own' && suspect.kind === 'observation' ? 'try-again' : 'hopeless'
    },
    passed: (wasOwn) => {
      ownWasRefused = wasOwn && refused === 'own'
      refused = null
      if (remaining > 0 && !ownWasRefused) remaining -= 1
    },
  }
}
