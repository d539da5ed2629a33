/** The two simulators of the sandbox. */
export const simulators = ['exchange', 'bank'] as const
/** One of them. */
export type Simulator = (typeof simulators)[number]

/** The calls of each simulator that a fault can be on, and what each is to a person. */
export const FAULT_CALLS = {
  exchange: {
    ticker: 'asking for the price',
    order: 'sending an order',
    'order-status': 'asking what became of an order',
  },
  bank: {
    authorization: 'asking the bank before a trade',
    reversal: 'telling the bank that a trade did not happen',
    webhook: 'sending the bank an event',
  },
} as const satisfies Readonly<Record<Simulator, Readonly<Record<string, string>>>>

/** What each kind of fault does. */
export const FAULT_KINDS = {
  reject: 'refuses; nothing is done',
  error: 'answers 500; nothing is done',
  hang: 'never answers; nothing is done',
  slow: 'does it at once, answers late',
  drop: 'does it, then cuts the connection: the answer is lost',
  twice: 'does it twice, unless the id stops the second',
} as const

/** A kind of fault. */
export type FaultKind = keyof typeof FAULT_KINDS

/** A fault as a simulator keeps it; without `count` it stays until the list is replaced. `ms` belongs to `slow`. */
export interface Fault {
  readonly on: string
  readonly kind: FaultKind
  readonly count?: number
  readonly ms?: number
}

/** Longest delay of a `slow` fault, ms. */
export const SLOW_MS_MAX = 600_000
/** Most times a fault can be asked for. */
export const COUNT_MAX = 1_000_000_000

/** A fault as it is typed. */
export interface FaultForm {
  readonly on: string
  readonly kind: FaultKind
  /** Empty: until the list is replaced. */
  readonly count: string
  readonly ms: string
}

const whole = (text: string, least: number, most: number): number | null => {
  const plain = text.trim()
  if (!/^\d{1,10}$/.test(plain)) return null
  const value = Number(plain)
  return value >= least && value <= most ? value : null
}

/** The fault that was typed, or which field is wrong and what would be right. */
export const readFault = (
  simulator: Simulator,
  { on, kind, count, ms }: FaultForm,
):
  | { readonly ok: true; readonly fault: Fault }
  | { readonly ok: false; readonly field: 'on' | 'count' | 'ms'; readonly words: string } => {
  if (!Object.hasOwn(FAULT_CALLS[simulator], on)) return { ok: false, field: 'on', words: 'Choose one of the calls.' }
  const times = count.trim() === '' ? null : whole(count, 1, COUNT_MAX)
  if (times === null && count.trim() !== '')
    return { ok: false, field: 'count', words: 'How many times: a whole number from 1, or empty for "until removed".' }
  const delay = kind === 'slow' ? whole(ms, 0, SLOW_MS_MAX) : null
  if (kind === 'slow' && delay === null)
    return { ok: false, field: 'ms', words: `The delay is a whole number of milliseconds up to ${SLOW_MS_MAX}.` }
  return {
    ok: true,
    fault: { on, kind, ...(times === null ? {} : { count: times }), ...(delay === null ? {} : { ms: delay }) },
  }
}

/** A fault in a sentence. */
export const faultWords = (simulator: Simulator, { on, kind, count, ms }: Fault): string => {
  const calls: Readonly<Record<string, string>> = FAULT_CALLS[simulator]
  const times =
    count === undefined ? 'every time until removed' : count === 1 ? 'the next time' : `the next ${count} times`
  const late = ms === undefined ? '' : ` (${ms} ms)`
  return `${calls[on] ?? on}, ${times}: it ${FAULT_KINDS[kind]}${late}`
}

/** The list with a fault that comes before the others: the first that matches is the one that is played. */
export const withFault = (faults: readonly Fault[], fault: Fault): readonly Fault[] => [fault, ...faults]

/** The list without the fault at an index. */
export const withoutFault = (faults: readonly Fault[], index: number): readonly Fault[] =>
  faults.filter((_, at) => at !== index)
