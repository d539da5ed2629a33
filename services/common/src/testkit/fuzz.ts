import { isNativeError } from 'node:util/types'
import fc from 'fast-check'

/**
 * What the fuzz tests share: how often they run, bytes that are nearly right, and the judgement of a parser that is given
 * them. A failure prints fast-check's seed and path; `BOURSE_TEST_SEED` has a run again.
 */

const RUNS = 100
/** Most of the processor's time a parser may take over one small input, ms: what a busy machine makes it wait does not count. */
const PARSE_MS_MAX = 1_000
/** Most bytes of buffers a parser may take over one small input. */
const PARSE_BYTES_MAX = 64 * 1024 * 1024

const numberOf = (name: string): number | undefined => {
  const text = process.env[name]
  if (text === undefined || text === '') return undefined
  const value = Number(text)
  if (!Number.isSafeInteger(value)) throw new RangeError(`${name} is '${text}'; give a whole number`)
  return value
}

/**
 * How a property runs: `BOURSE_TEST_FUZZ_RUNS` times (100 when it is not set) × `weight`, which is below 1 where one run
 * costs much.
 */
export const fuzzed = (weight = 1): { readonly numRuns: number } => ({
  numRuns: Math.max(1, Math.round((numberOf('BOURSE_TEST_FUZZ_RUNS') ?? RUNS) * weight)),
})

/** Words that sizes, counts and offsets fail at. */
const EDGE_WORDS = [0, 1, 7, 8, 0xff, 0xffff, 0x1_0000, 0x10_0000, 0x7fff_ffff, 0x8000_0000, 0xffff_fff8, 0xffff_ffff]

type Edit = (bytes: Uint8Array) => Uint8Array

const within = (at: number, length: number): number => (length === 0 ? 0 : at % length)

const edits: fc.Arbitrary<Edit> = fc.oneof(
  fc.tuple(fc.nat(), fc.nat(7)).map(([at, bit]): Edit => (bytes) => {
    const copy = bytes.slice()
    if (copy.length > 0) copy[within(at, copy.length)]! ^= 1 << bit
    return copy
  }),
  fc.tuple(fc.nat(), fc.nat(255)).map(([at, value]): Edit => (bytes) => {
    const copy = bytes.slice()
    if (copy.length > 0) copy[within(at, copy.length)] = value
    return copy
  }),
  fc.tuple(fc.nat(), fc.constantFrom(...EDGE_WORDS)).map(([at, word]): Edit => (bytes) => {
    const copy = bytes.slice()
    const place = within(at, Math.floor(copy.length / 4)) * 4
    if (copy.length >= 4) new DataView(copy.buffer).setUint32(place, word, true)
    return copy
  }),
  fc.nat().map(
    (to): Edit =>
      (bytes) =>
        bytes.slice(0, within(to, bytes.length)),
  ),
  fc.uint8Array({ minLength: 1, maxLength: 40 }).map(
    (more): Edit =>
      (bytes) =>
        Uint8Array.from([...bytes, ...more]),
  ),
  fc.tuple(fc.nat(), fc.integer({ min: 1, max: 24 })).map(([at, count]): Edit => (bytes) => {
    const from = within(at, bytes.length)
    return Uint8Array.from([...bytes.subarray(0, from), ...bytes.subarray(from + count)])
  }),
  fc.tuple(fc.nat(), fc.nat(), fc.integer({ min: 1, max: 64 })).map(([from, to, count]): Edit => (bytes) => {
    const copy = bytes.slice()
    copy.copyWithin(within(to, copy.length), within(from, copy.length), within(from, copy.length) + count)
    return copy
  }),
)

/** Valid bytes with bits flipped, words overwritten, parts cut, doubled or added: one to three such edits. */
export const mutationsOf = (valid: fc.Arbitrary<Uint8Array>): fc.Arbitrary<Uint8Array> =>
  fc
    .tuple(valid, fc.array(edits, { minLength: 1, maxLength: 3 }))
    .map(([bytes, changes]) => changes.reduce((changed, edit) => edit(changed), bytes))

/** Arbitrary bytes, and valid ones after edits. */
export const nearly = (valid: fc.Arbitrary<Uint8Array>): fc.Arbitrary<Uint8Array> =>
  fc.oneof({ weight: 1, arbitrary: fc.uint8Array({ maxLength: 300 }) }, { weight: 4, arbitrary: mutationsOf(valid) })

/** A text with characters dropped, doubled, replaced or added. */
export const textMutationsOf = (valid: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  fc
    .tuple(
      valid,
      fc.array(fc.tuple(fc.nat(), fc.nat(3), fc.string({ unit: 'binary', maxLength: 6 })), {
        minLength: 1,
        maxLength: 3,
      }),
    )
    .map(([text, changes]) =>
      changes.reduce((changed, [place, dropped, added]) => {
        const at = within(place, changed.length + 1)
        return changed.slice(0, at) + added + changed.slice(at + dropped)
      }, text),
    )

/** Bytes of the whole command or record `bytes` pretend to be: padded to 8, with their own size in the first word. */
export const framed = (bytes: Uint8Array): Uint8Array => {
  const copy = new Uint8Array(Math.max(56, (bytes.length + 7) & ~7))
  copy.set(bytes)
  new DataView(copy.buffer).setUint32(0, copy.length, true)
  return copy
}

type ErrorClass = abstract new (...args: never[]) => Error

/** What came of reading: a value, or one of the errors that the parser documents. */
export type Reading<Value> = { readonly value: Value } | { readonly error: Error }

/** By name too: what the runtime itself throws may be of another realm than the test's. */
const isOf = (error: Error, known: ErrorClass): boolean => error.name === known.name || error instanceof known

const judged = (error: unknown, documented: readonly ErrorClass[]): { readonly error: Error } => {
  if (isNativeError(error) && documented.some((known) => isOf(error, known))) return { error }
  throw new Error(`an error that is not documented: ${String(error)}`, { cause: error })
}

/** Time of the processors that this process has had, all its threads, ms. */
const processorMs = (): number => {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1_000
}

const checkWork = (startedMs: number, buffersBefore: number): void => {
  const tookMs = processorMs() - startedMs
  if (tookMs > PARSE_MS_MAX) throw new Error(`reading took ${Math.round(tookMs)} ms`)
  const taken = process.memoryUsage().arrayBuffers - buffersBefore
  if (taken > PARSE_BYTES_MAX) throw new Error(`reading took ${taken} bytes of buffers`)
}

/**
 * Reads once. Throws when the parser fails with anything but its documented errors, takes long, or takes much memory for a
 * size that it only read.
 */
export const readOnce = <Value>(read: () => Value, documented: readonly ErrorClass[]): Reading<Value> => {
  const [startedMs, buffers] = [processorMs(), process.memoryUsage().arrayBuffers]
  let reading: Reading<Value>
  try {
    reading = { value: read() }
  } catch (error) {
    reading = judged(error, documented)
  }
  checkWork(startedMs, buffers)
  return reading
}

/** As `readOnce`, of a parser that answers later. */
export const readLater = async <Value>(
  read: () => Promise<Value>,
  documented: readonly ErrorClass[],
): Promise<Reading<Value>> => {
  const [startedMs, buffers] = [processorMs(), process.memoryUsage().arrayBuffers]
  let reading: Reading<Value>
  try {
    reading = { value: await read() }
  } catch (error) {
    reading = judged(error, documented)
  }
  checkWork(startedMs, buffers)
  return reading
}
