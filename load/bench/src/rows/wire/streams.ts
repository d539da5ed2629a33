import { performance } from 'node:perf_hooks'
import { setTimeout as delay } from 'node:timers/promises'
import { allOf, atLeast, everyRunBelow, ratioAtMost } from '../../goals.ts'
import type { Group, Sample } from '../../row.ts'
import { quantile } from './support/loops.ts'
import { startPlatform, type ManifestSpec, type MeasuredPlatform } from './support/platform.ts'
import { openPriceReaders, type PriceReader } from './support/price-readers.ts'
import { startQuoteSource, type QuoteSource } from './support/quote-source.ts'

const SOCKETS = 1_000
const CHANNEL = ['prices:BTC_USDC']
/** More quotes than the platform can hand out one by one. */
const FLOOD_PER_SECOND = 600
const CONFLATED_PER_SECOND = 4_000
const STEADY_PER_SECOND = 40
const WARM_UP_MS = 2_000
const MEASURED_MS = 4_000
const ARRIVAL_MS_MAX = 20_000

interface Stream {
  readonly platform: MeasuredPlatform
  readonly source: QuoteSource
}

const withStream = async <Value>(task: (stream: Stream) => Promise<Value>): Promise<Value> => {
  const source = await startQuoteSource()
  const prices = (spec: ManifestSpec): void => {
    spec['prices'] = { source: 'binance', url: source.url, symbol: 'BTCUSDT', maxAgeSeconds: 60, maxJumpBps: '2000' }
  }
  try {
    const platform = await startPlatform({ alterPairs: { 'btc-usdc': prices } })
    try {
      await source.followed()
      return await task({ platform, source })
    } finally {
      await platform.stop()
    }
  } finally {
    source.stop()
  }
}

/** Waits until every reader has the newest quote. @throws when one never gets it */
const allCaughtUp = async (readers: readonly PriceReader[]): Promise<void> => {
  const deadlineMs = performance.now() + ARRIVAL_MS_MAX
  const newest = (): number => readers.reduce((most, { lastSequence }) => Math.max(most, lastSequence), 0)
  for (let before = -1; ;) {
    await delay(50)
    const now = newest()
    if (now === before && readers.every(({ lastSequence }) => lastSequence === now)) return
    if (performance.now() > deadlineMs) throw new Error('a reader did not get the newest quote')
    before = now
  }
}

const closeAll = (readers: readonly PriceReader[]): void => {
  for (const { socket } of readers) socket.destroy()
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0)

/**
 * Floods the platform with quotes while every socket reads; per second: the messages that were read and parsed, and the
 * quotes that those told of (all that lie between a socket's sequences, superseded ones included).
 */
const flood = async (
  { platform, source }: Stream,
  perSecond: number,
): Promise<{ messages: number; quotes: number }> => {
  const readers = await openPriceReaders(platform, SOCKETS, CHANNEL)
  await source.quoteFor(WARM_UP_MS, perSecond)
  await allCaughtUp(readers)
  const messagesBefore = sum(readers.map(({ messages }) => messages))
  const sequencesBefore = sum(readers.map(({ lastSequence }) => lastSequence))
  const startMs = performance.now()
  const sent = await source.quoteFor(MEASURED_MS, perSecond)
  // What is still on its way counts in the time too.
  await allCaughtUp(readers)
  const seconds = (performance.now() - startMs) / 1_000
  const messages = sum(readers.map((reader) => reader.messages)) - messagesBefore
  const quotes = sum(readers.map(({ lastSequence }) => lastSequence)) - sequencesBefore
  if (quotes !== sent * readers.length) throw new Error(`${quotes} quotes told of, ${sent} × ${readers.length} sent`)
  closeAll(readers)
  return { messages: messages / seconds, quotes: quotes / seconds }
}

/** Messages to a thousand sockets. */
export const ws: Group = {
  name: 'wire/ws',
  rows: [
    {
      name: 'wire/ws',
      what:
        `Price messages that ${SOCKETS} sockets of one client process received and parsed, while more quotes come than can ` +
        'be handed out one by one.',
      unit: 'messages/s',
      kind: 'wire to wire',
      goal: atLeast(200_000, 'messages/s'),
    },
  ],
  measure: () =>
    withStream(async (stream) => ({
      'wire/ws': { value: (await flood(stream, FLOOD_PER_SECOND)).messages, peers: {} },
    })),
}

/** Quotes to a thousand sockets, of which each socket needs the newest only. */
export const wsConflated: Group = {
  name: 'wire/ws-conflated',
  rows: [
    {
      name: 'wire/ws-conflated',
      what:
        `${CONFLATED_PER_SECOND} quotes/s to ${SOCKETS} sockets, counted as quotes × sockets that the sequences received tell ` +
        'of: quotes that came in one turn are one message with the newest; every socket ends with the last quote. ' +
        'Peer `messages`: the messages received per second.',
      unit: 'quotes/s',
      kind: 'wire to wire',
      goal: atLeast(2_000_000, 'quotes/s'),
    },
  ],
  measure: () =>
    withStream(async (stream) => {
      const { messages, quotes } = await flood(stream, CONFLATED_PER_SECOND)
      return { 'wire/ws-conflated': { value: quotes, peers: { messages } } }
    }),
}

const SLOW_READERS = 20

/** p99 from sending a quote to the source's socket until a reader has parsed it, ms. */
const steadyP99 = async ({ source }: Stream, readers: readonly PriceReader[], latencies: number[]): Promise<number> => {
  await allCaughtUp(readers)
  latencies.length = 0
  await source.quoteFor(MEASURED_MS, STEADY_PER_SECOND)
  await allCaughtUp(readers)
  return quantile(Float64Array.from(latencies).sort(), 0.99)
}

const slowReaderSample = (stream: Stream): Promise<Sample> => {
  const { platform, source } = stream
  const latencies: number[] = []
  let base = 0
  const note = (sequence: number): void => {
    // The first quote of all reaches every socket: its sequence is index 0.
    if (base === 0) base = sequence
    latencies.push(performance.now() - source.sentAtMs(sequence - base))
  }
  return (async () => {
    const readers = await openPriceReaders(platform, SOCKETS - SLOW_READERS, CHANNEL, note)
    source.quote()
    await source.quoteFor(WARM_UP_MS, STEADY_PER_SECOND)
    const without = await steadyP99(stream, readers, latencies)
    const slow = await openPriceReaders(platform, SLOW_READERS, [...CHANNEL, 'prices:ETH_USDC', 'prices:SOL_USDC'])
    for (const { socket } of slow) socket.pause()
    // Fills what the kernel buffers for those who stopped.
    await source.quoteFor(MEASURED_MS, CONFLATED_PER_SECOND)
    const value = await steadyP99(stream, readers, latencies)
    closeAll([...readers, ...slow])
    return { value, peers: { without } }
  })()
}

/** Readers that stop reading. */
export const wsSlowReader: Group = {
  name: 'wire/ws-slow-reader',
  rows: [
    {
      name: 'wire/ws-slow-reader',
      what:
        `p99 from a quote's sending until a reader has parsed it, ${STEADY_PER_SECOND} quotes/s to ${SOCKETS} sockets of ` +
        `which ${SLOW_READERS} have stopped reading and are behind by a flood. Peer \`without\`: before those came.`,
      unit: 'ms',
      kind: 'wire to wire',
      goal: allOf(ratioAtMost('without', 1.5), everyRunBelow(100, 'ms')),
    },
  ],
  measure: () => withStream(async (stream) => ({ 'wire/ws-slow-reader': await slowReaderSample(stream) })),
}
