import { parseAmount, parseJsonNumber } from '@bourse/common/money/amount.ts'
import type { Units } from '@bourse/common/money/amount.ts'
import { divFloor } from '@bourse/common/money/rounding.ts'
import { parseJson } from '@bourse/common/json/parse.ts'
import type { PollSource } from '@bourse/common/resources/price-source.ts'
import { readTapeTime } from '../tape/tape-time.ts'
import type { RunningSource, SourceDeps, SourceTick } from './source.ts'

/** Longest answer of a ticker that is read. */
const ANSWER_BYTES_MAX = 65_536
/** How long an answer may take. */
const ANSWER_TIMEOUT_MS = 5_000

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/**
 * Reads a ticker: `{bidPrice, askPrice}` or `{bid, ask}`, with `price` or `last` besides, or `{price}` alone
 * (it is then bid and ask); `timestamp` in epoch s or ms. Prices are decimal strings or JSON numbers, read from
 * their source text.
 * @throws when it is none of these.
 */
export const readTicker = (text: string): SourceTick => {
  const document = parseJson(text)
  const { value } = document
  if (!isObject(value)) throw new Error('the ticker is not a JSON object')
  const textOf = (name: string): string | undefined => {
    const field = value[name]
    return typeof field === 'number' ? document.numberText(value, name) : typeof field === 'string' ? field : undefined
  }
  const priceOf = (...names: string[]): Units | undefined => {
    const name = names.find((candidate) => textOf(candidate) !== undefined)
    const price = name === undefined ? undefined : textOf(name)
    if (name === undefined || price === undefined) return undefined
    return typeof value[name] === 'number' ? parseJsonNumber(price) : parseAmount(price)
  }
  const last = priceOf('price', 'last', 'lastPrice')
  const feedBid = priceOf('bidPrice', 'bid') ?? last
  const feedAsk = priceOf('askPrice', 'ask') ?? last
  if (feedBid === undefined || feedAsk === undefined) throw new Error('the ticker has neither price nor bid and ask')
  const exchangeTimeMs = readTapeTime(textOf('timestamp') ?? '') ?? null
  return { feedBid, feedAsk, last: last ?? divFloor(feedBid + feedAsk, 2n), exchangeTimeMs }
}

const readBounded = async (response: Response): Promise<string> => {
  const parts: Uint8Array[] = []
  let bytes = 0
  for await (const part of response.body ?? []) {
    bytes += part.length
    if (bytes > ANSWER_BYTES_MAX) throw new Error(`the answer is longer than ${ANSWER_BYTES_MAX} bytes`)
    parts.push(part)
  }
  return Buffer.concat(parts).toString('utf8')
}

/**
 * Asks a ticker every `intervalMs`, never two questions at once; an answer that is an error, late, long or no
 * ticker is counted.
 */
export const startPoll = (spec: PollSource, intervalMs: number, deps: SourceDeps): RunningSource => {
  const { clock, logger, onTick, onFault } = deps
  const url = spec.url.replaceAll('{symbol}', encodeURIComponent(spec.symbol))
  const stopping = new AbortController()
  const ask = async (): Promise<void> => {
    const answered = new AbortController()
    const late = new AbortController()
    const timer = clock.sleep(ANSWER_TIMEOUT_MS, AbortSignal.any([answered.signal, stopping.signal])).then(
      () => {
        late.abort(new Error(`no answer within ${ANSWER_TIMEOUT_MS} ms`))
      },
      () => undefined,
    )
    try {
      const response = await fetch(url, { signal: AbortSignal.any([late.signal, stopping.signal]), redirect: 'error' })
      const text = await readBounded(response)
      if (!response.ok) throw new Error(`the ticker answered ${response.status}`)
      onTick(readTicker(text))
    } finally {
      answered.abort(new Error('answered'))
      await timer
    }
  }
  const onError = (error: unknown): void => {
    if (stopping.signal.aborted) return
    onFault('failed')
    logger.warn({ error, url }, 'price poll failed')
  }
  const repeating = clock.every(intervalMs, ask, onError)
  return {
    stop: async () => {
      stopping.abort(new Error('stopped'))
      await repeating.stop()
    },
  }
}
