/** Whole numbers as ranges: `1..3,7`. */
export const formatNumbers = (numbers: Iterable<number>): string => {
  const sorted = [...new Set(numbers)].sort((a, b) => a - b)
  const ranges: [number, number][] = []
  for (const number of sorted) {
    const last = ranges.at(-1)
    if (last !== undefined && last[1] + 1 === number) last[1] = number
    else ranges.push([number, number])
  }
  return ranges.map(([from, to]) => (from === to ? String(from) : `${from}..${to}`)).join(',')
}

/** Most numbers a text may name. */
const NUMBERS_MAX = 1_000_000

/**
 * Reads `1..3,7`; undefined for anything else, a range that runs backwards, or more than NUMBERS_MAX numbers.
 */
export const parseNumbers = (text: string): number[] | undefined => {
  const numbers: number[] = []
  for (const part of text.split(',')) {
    const [, from, to] = /^(\d{1,10})(?:\.\.(\d{1,10}))?$/.exec(part) ?? []
    if (from === undefined) return undefined
    const [low, high] = [Number(from), Number(to ?? from)]
    if (high < low || high > 0xffff_ffff || numbers.length + high - low >= NUMBERS_MAX) return undefined
    for (let number = low; number <= high; number++) numbers.push(number)
  }
  return numbers
}
