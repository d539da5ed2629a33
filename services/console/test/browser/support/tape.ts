import { createServer } from 'node:http'
import { existsSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { formatAmount } from '@bourse/common/money/amount.ts'
import { readTape } from '../../../../market/src/tape/read-tape.ts'
import { inRoot } from '../../../../common/tooling/paths.mjs'

/** BTC-PERP's minutes of January 2022, four ticks each. */
const FILE = inRoot('../shared/data/candles/btc-perp-20211231-20220201_1m.csv.gz')

/** Why the tape can't be played; undefined when it is there. */
export const missingTape: string | undefined = existsSync(FILE)
  ? undefined
  : '../shared/data/candles/btc-perp-20211231-20220201_1m.csv.gz is missing'

/** 2022-01-20 20:46: half an hour within 0.6 %, then 2.5 % down in less than half an hour. */
const FIRST = 114_660
const COUNT = 400

/** A ticker that plays a recorded tape: each answer is the next tick while it plays, the same one while it stands. */
export interface TapeTicker {
  readonly url: string
  /** From now on the given number of ticks per answer, in all as many as are given, or those there are. */
  play(ticksPerAnswer: number, ticks?: number): void
  /** The price stays as it is, and stays fresh. */
  stand(): void
  /** It answers errors: the price grows old. */
  fall(): void
  /** The tick that is answered now, of the tape's. */
  position(): number
  stop(): Promise<void>
}

const readTicks = async (): Promise<readonly string[]> => {
  const prices: string[] = []
  let index = 0
  for await (const { last } of readTape(FILE)) {
    if (index >= FIRST + COUNT) break
    if (index >= FIRST) prices.push(formatAmount(last))
    index += 1
  }
  return prices
}

/** Serves the tape's fall of January 2022, standing at its first tick. At its end the last price stays. */
export const startTape = async (): Promise<TapeTicker> => {
  const prices = await readTicks()
  let position = 0
  let stride = 0
  let goal = 0
  let isDown = false
  const server = createServer((_request, response) => {
    const price = prices[position] ?? ''
    position = Math.min(position + stride, goal)
    response.writeHead(isDown ? 503 : 200, { 'content-type': 'application/json' })
    response.end(isDown ? '{}' : JSON.stringify({ bid: price, ask: price }))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    play: (ticksPerAnswer, ticks = prices.length) => {
      isDown = false
      stride = ticksPerAnswer
      goal = Math.min(position + ticks, prices.length - 1)
    },
    stand: () => {
      isDown = false
      stride = 0
    },
    fall: () => void (isDown = true),
    position: () => FIRST + position,
    stop: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
