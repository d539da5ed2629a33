import type { World } from '../world/world.ts'
import type { Faults } from './faults.ts'
import { faultKinds, type FaultKind } from './kinds.ts'

/** What a rate counts: strikes in this many chances. */
const CHANCES = 10_000

/**
 * Between which rates a kind is drawn, strikes in 10,000 chances. What is asked for each message, append or call is rare; what
 * the director asks for a few times a minute is not.
 */
const rates: Readonly<Record<FaultKind, readonly [least: number, most: number]>> = {
  crash: [200, 2_500],
  'power-cut': [100, 800],
  'edge-crash': [200, 2_500],
  'views-crash': [200, 2_500],
  zombie: [200, 2_000],
  move: [300, 4_000],
  'slow-consumer': [200, 2_000],
  'clock-back': [200, 1_500],
  'clock-ahead': [200, 1_500],
  'message-delayed': [10, 800],
  'messages-reordered': [10, 1_500],
  'message-twice': [10, 1_000],
  'send-refused': [5, 300],
  'answer-lost': [5, 500],
  'link-cut': [1, 60],
  'bus-forgets': [100, 1_500],
  'append-slow': [10, 800],
  'append-refused': [5, 400],
  'append-unheard': [5, 400],
  'append-torn': [1_000, 9_000],
  'disk-full': [100, 1_000],
  'journal-unreadable': [5, 200],
  'record-flipped': [3_000, 9_000],
  'cursors-lost': [10, 3_000],
  'snapshot-refused': [10, 2_500],
  'snapshot-unheard': [10, 2_500],
  'snapshot-flipped': [300, 3_000],
  'snapshot-lost': [300, 2_000],
  'event-lost': [10, 2_000],
  'event-twice': [10, 2_000],
  'view-refused': [5, 500],
  'view-unheard': [5, 500],
  'exchange-reject': [10, 1_000],
  'exchange-error': [10, 1_000],
  'exchange-hang': [10, 1_000],
  'exchange-slow': [10, 1_500],
  'exchange-drop': [10, 1_500],
  'exchange-twice': [10, 1_500],
  'exchange-fill': [10, 2_000],
  'bank-reject': [10, 1_000],
  'bank-error': [10, 1_500],
  'bank-hang': [10, 1_000],
  'bank-slow': [10, 1_500],
  'bank-drop': [10, 1_500],
  'bank-twice': [10, 1_500],
  'bank-decline': [10, 1_500],
  'order-late': [100, 3_000],
}

/** Of 100 seeds, those in which nothing goes wrong at all. */
const CLEAN_PERCENT = 8
/** How likely a kind is to be among those of a seed, by seed: few kinds alone reach deep, many together reach wide. */
const KINDS_PERCENT = [6, 15, 30, 60] as const

/** Draws which kinds of fault a seed has, and how often each strikes. `without` lists kinds that are left out, draws and all. */
export const createFaults = (world: World, options: { readonly without: readonly FaultKind[] }): Faults => {
  const drawing = world.chance('faults')
  const isClean = drawing.chance(CLEAN_PERCENT)
  const kindsPercent = drawing.pick(KINDS_PERCENT)
  const rateOf = new Map<FaultKind, number>()
  for (const kind of faultKinds) {
    const [least, most] = rates[kind]
    // Drawn for every kind, so that leaving one out leaves the others as they are.
    const isDrawn = drawing.chance(kindsPercent)
    const rate = drawing.between(least, drawing.between(least, most))
    if (isDrawn && !isClean && !options.without.includes(kind)) rateOf.set(kind, rate)
  }
  const counts = new Map<FaultKind, number>()
  let ended = false
  const count = (kind: FaultKind): void => {
    counts.set(kind, (counts.get(kind) ?? 0) + 1)
    world.trace.note(`${world.nowMs()} fault ${kind}`)
  }
  return {
    strikes: (kind) => {
      const rate = rateOf.get(kind)
      if (rate === undefined || ended) return false
      // A stream for each kind: how often one is asked for moves no other.
      if (world.chance(`fault/${kind}`).below(CHANCES) >= rate) return false
      count(kind)
      return true
    },
    has: (kind) => rateOf.has(kind),
    count,
    end: () => {
      ended = true
    },
    get ended() {
      return ended
    },
    counts: () => Object.fromEntries(counts),
  }
}
