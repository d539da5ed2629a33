/**
 * Numbers below this are seconds since the epoch, from it on milliseconds: 1e11 ms is 1973, 1e11 s is the year
 * 5138.
 */
const SECONDS_BELOW = 100_000_000_000

const EPOCH = /^(\d{1,14})(?:\.(\d{1,9}))?$/
const ISO = /^(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?\s?(Z|UTC|[+-]\d\d:?\d\d)?)?$/i

const millisecondsOf = (fraction: string): number => Number(fraction.padEnd(3, '0').slice(0, 3))

const offsetMinutes = (zone: string): number => {
  if (!/^[+-]/.test(zone)) return 0
  const minutes = Number(zone.slice(1, 3)) * 60 + Number(zone.slice(-2))
  return zone.startsWith('-') ? -minutes : minutes
}

const readEpoch = (whole: string, fraction: string): number => {
  const value = Number(whole)
  return value < SECONDS_BELOW ? value * 1_000 + millisecondsOf(fraction) : value
}

/**
 * A moment of a tape in ms since the epoch: epoch seconds or milliseconds, or ISO 8601 (`T` or a blank between
 * date and time, UTC where no zone is given, what is finer than a millisecond cut off). Undefined when it is
 * none of these or no day of the calendar.
 */
export const readTapeTime = (text: string): number | undefined => {
  const epoch = EPOCH.exec(text)
  if (epoch !== null) return readEpoch(epoch[1] ?? '', epoch[2] ?? '')
  const iso = ISO.exec(text)
  if (iso === null) return undefined
  const [year, month, day, hour, minute, second] = iso.slice(1, 7).map((part) => Number(part ?? 0))
  const timeMs = Date.UTC(year!, month! - 1, day, hour, minute, second, millisecondsOf(iso[7] ?? ''))
  const back = new Date(timeMs)
  const isOfCalendar = back.getUTCMonth() === month! - 1 && back.getUTCDate() === day && back.getUTCHours() === hour
  const isInRange = minute! < 60 && second! < 60
  return isOfCalendar && isInRange ? timeMs - offsetMinutes(iso[8] ?? '') * 60_000 : undefined
}
