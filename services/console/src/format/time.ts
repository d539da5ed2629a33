import { DIGITS } from './decimal.ts'

/** How a moment is shown. */
export interface TimeOptions {
  /** Default: the user's. */
  readonly locale?: string | undefined
  readonly timeZone?: string | undefined
}

const formatters = new Map<string, Intl.DateTimeFormat>()

const formatterOf = (name: string, { locale, timeZone }: TimeOptions, parts: Intl.DateTimeFormatOptions) => {
  const key = `${name}|${locale ?? ''}|${timeZone ?? ''}`
  const known = formatters.get(key)
  if (known !== undefined) return known
  const made = new Intl.DateTimeFormat(locale, {
    ...parts,
    numberingSystem: DIGITS,
    ...(timeZone === undefined ? {} : { timeZone }),
  })
  formatters.set(key, made)
  return made
}

/** A moment of the API (ISO 8601) or in ms; null for a text that is none. */
const dateOf = (moment: string | number): Date | null => {
  const date = new Date(moment)
  return Number.isNaN(date.getTime()) ? null : date
}

const shown = (moment: string | number, formatter: Intl.DateTimeFormat): string => {
  const date = dateOf(moment)
  return date === null ? String(moment) : formatter.format(date)
}

/** Hours, minutes and seconds in the user's zone. */
export const formatTime = (moment: string | number, options: TimeOptions = {}): string =>
  shown(moment, formatterOf('time', options, { hour: '2-digit', minute: '2-digit', second: '2-digit' }))

/** Date and time to the second in the user's zone. */
export const formatDateTime = (moment: string | number, options: TimeOptions = {}): string =>
  shown(moment, formatterOf('moment', options, { dateStyle: 'medium', timeStyle: 'medium' }))

/** The name of the user's zone, for a table's head: `Europe/Zurich`. */
export const userZone = (): string => new Intl.DateTimeFormat().resolvedOptions().timeZone

const UNITS = [
  { unit: 'day', ms: 86_400_000 },
  { unit: 'hour', ms: 3_600_000 },
  { unit: 'minute', ms: 60_000 },
  { unit: 'second', ms: 1_000 },
] as const

/** An age or a length of time in its largest whole unit, rounded down: `14 sec`, `3 min`. Less than a second is `0 sec`. */
export const formatAge = (ms: number, locale?: string): string => {
  const length = Math.max(0, ms)
  const { unit, ms: unitMs } = UNITS.find((known) => length >= known.ms) ?? UNITS[3]
  const count = Math.floor(length / unitMs)
  return new Intl.NumberFormat(locale, {
    style: 'unit',
    unit,
    unitDisplay: 'short',
    numberingSystem: DIGITS,
  }).format(count)
}
