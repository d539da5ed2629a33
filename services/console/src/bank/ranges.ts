/** Ranges of a statement that are asked for often. */
export const presets = ['today', 'yesterday', 'seven-days', 'this-month', 'last-month'] as const
/** One of them. */
export type Preset = (typeof presets)[number]

/** Their names on buttons. */
export const PRESET_NAMES: Readonly<Record<Preset, string>> = {
  today: 'Today',
  yesterday: 'Yesterday',
  'seven-days': 'Last 7 days',
  'this-month': 'This month',
  'last-month': 'Last month',
}

/** From the first moment, included, to the last, excluded; epoch ms. */
export interface Range {
  readonly fromMs: number
  readonly toMs: number
}

/** Longest statement, as the API has it. */
export const STATEMENT_DAYS_MAX = 366
const DAY_MS = 86_400_000

/** Midnight of the user's zone, so many days and months off; through the calendar, since days of 23 and 25 hours exist. */
const midnight = (nowMs: number, days: number, months = 0, isFirst = false): number => {
  const now = new Date(nowMs)
  return new Date(now.getFullYear(), now.getMonth() + months, isFirst ? 1 : now.getDate() + days).getTime()
}

/** The moments of a preset in the user's zone; what goes on ends at the next midnight, so that all of today is in it. */
export const rangeOfPreset = (preset: Preset, nowMs: number): Range => {
  switch (preset) {
    case 'today':
      return { fromMs: midnight(nowMs, 0), toMs: midnight(nowMs, 1) }
    case 'yesterday':
      return { fromMs: midnight(nowMs, -1), toMs: midnight(nowMs, 0) }
    case 'seven-days':
      return { fromMs: midnight(nowMs, -6), toMs: midnight(nowMs, 1) }
    case 'this-month':
      return { fromMs: midnight(nowMs, 0, 0, true), toMs: midnight(nowMs, 0, 1, true) }
    case 'last-month':
      return { fromMs: midnight(nowMs, 0, -1, true), toMs: midnight(nowMs, 0, 0, true) }
  }
}

const two = (value: number): string => String(value).padStart(2, '0')

const dayOf = (date: Date): string =>
  `${String(date.getFullYear()).padStart(4, '0')}-${two(date.getMonth() + 1)}-${two(date.getDate())}`

/** A moment as `<input type="datetime-local">` holds it: the user's zone, to the minute. */
export const toLocalInput = (atMs: number): string => {
  const date = new Date(atMs)
  return `${dayOf(date)}T${two(date.getHours())}:${two(date.getMinutes())}`
}

const LOCAL = /^(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2})(?::\d{2}(?:\.\d+)?)?$/

/** The moment such a field holds, ms; null while it holds none. */
export const fromLocalInput = (text: string): number | null => {
  const match = LOCAL.exec(text)
  if (match === null) return null
  const [year, month, day, hour, minute] = match.slice(1).map(Number)
  const atMs = new Date(year ?? 0, (month ?? 1) - 1, day, hour, minute).getTime()
  return Number.isNaN(atMs) ? null : atMs
}

/** A range that may be asked for, or what is wrong with it, in words. */
export const readRange = (
  from: string,
  to: string,
): ({ readonly ok: true } & Range) | { readonly ok: false; readonly words: string } => {
  const fromMs = fromLocalInput(from)
  const toMs = fromLocalInput(to)
  if (fromMs === null || toMs === null) return { ok: false, words: 'Give both moments, a day and a time.' }
  if (fromMs >= toMs) return { ok: false, words: 'The start must be before the end.' }
  if (toMs - fromMs > STATEMENT_DAYS_MAX * DAY_MS)
    return { ok: false, words: `A statement covers at most ${STATEMENT_DAYS_MAX} days; choose a shorter range.` }
  return { ok: true, fromMs, toMs }
}

/** Whole days are named by their days, the last one included; others to the minute. No sign that a file system refuses. */
const rangeName = ({ fromMs, toMs }: Range): string => {
  const isMidnight = (atMs: number): boolean => toLocalInput(atMs).endsWith('T00:00')
  if (!isMidnight(fromMs) || !isMidnight(toMs))
    return [fromMs, toMs].map((atMs) => toLocalInput(atMs).replace(':', '-')).join('_to_')
  const first = dayOf(new Date(fromMs))
  const last = dayOf(new Date(toMs - 1))
  return first === last ? first : `${first}_to_${last}`
}

/** Name of a statement's file. */
export const csvName = (bank: string, range: Range): string =>
  `statement_${bank.replace(/[^A-Za-z0-9-]/g, '-')}_${rangeName(range)}.csv`
