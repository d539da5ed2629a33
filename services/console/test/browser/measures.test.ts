import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { cpus } from 'node:os'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { describeUnless } from '@bourse/common/testkit/skip.ts'
import { inRoot } from '../../../common/tooling/paths.mjs'
import { until } from '../../../all-in-one/test/support/calls.ts'
import { missingChromium } from './support/chromium.ts'
import { openDesk, type Desk } from './support/desk.ts'
import { countBytes, priceFrames } from './support/network.ts'
import { beginFrames, readFrames, readInputs, readLoad, watchInputs, type FrameFigures } from './support/timings.ts'
import { step } from './support/step.ts'
import { signUpByForm } from './support/trader.ts'

/** Where the figures go, for docs/performance.md. */
const FILE = process.env['BOURSE_TEST_MEASURES'] ?? inRoot('coverage/console-measures.json')

const MARKETS = 20
const UPDATES_PER_SECOND = 10
/** What is measured at least, so that a figure is one: prices of each market, frames, keys. */
const UPDATES_MIN = 50
const FRAMES_MIN = 100
const KEYS_MIN = 50
/** The first load, compressed, without the chart. */
const LOAD_BYTES_MAX = 200_000
const STREAM_MS = 10_000

/** A market of its own name for each, in a walk that steps ten times a second. */
const pairs = Array.from({ length: MARKETS }, (_, index) => ({
  symbol: `M${String(index).padStart(2, '0')}_USDC`,
  prices: { source: 'walk', startPrice: String(100 + index * 50), seed: index + 1, stepMs: 1_000 / UPDATES_PER_SECOND },
}))

/** A phone of the middle class on a mobile network, as Lighthouse imagines it. */
const SLOW = { latency: 150, downloadThroughput: 1_638_400 / 8, uploadThroughput: 675_000 / 8, offline: false }
const SLOWER_PROCESSOR = 4

describeUnless(
  missingChromium,
  `the console while ${MARKETS} markets move ${UPDATES_PER_SECOND} times a second`,
  () => {
    let desk: Desk
    const figures: Record<string, unknown> = {
      machine: `${cpus()[0]?.model ?? 'unknown'}, ${cpus().length} cores; Chromium without a window draws in software on them`,
    }
    beforeAll(async () => {
      desk = await openDesk({ pairs })
    })
    afterAll(async () => {
      await desk.stop()
      mkdirSync(dirname(FILE), { recursive: true })
      writeFileSync(FILE, `${JSON.stringify(figures, null, 2)}\n`)
      step(`the figures are in ${FILE}`)
    })

    test.each([
      ['desktop', 'desktop', false],
      ['phone, slow network, slow processor', 'phone', true],
    ] as const)(`loads first with less than ${LOAD_BYTES_MAX / 1_000} kB: %s`, async (name, screen, isSlow) => {
      const visit = await desk.visit('/livez', { screen })
      const session = await visit.context.newCDPSession(visit.page)
      const bytes = await countBytes(session)
      if (isSlow) {
        await session.send('Network.emulateNetworkConditions', SLOW)
        await session.send('Emulation.setCPUThrottlingRate', { rate: SLOWER_PROCESSOR })
      }
      await visit.page.goto(desk.bourse.url)
      await visit.page.getByTestId('market-M00_USDC').first().waitFor()
      await visit.page.getByTestId('chart').locator('canvas').first().waitFor()
      await visit.page.waitForLoadState('networkidle')
      const load = await readLoad(visit.page)
      const { chart, others, files } = bytes()
      figures[`load, ${name}`] = { ...load, bytesWithoutChart: others, bytesChart: chart, files }
      step(`${name}: content after ${load.domContentLoadedMs} ms, largest paint after ${load.largestPaintMs} ms`)
      step(`${others} bytes in ${files.length} files, and ${chart} of the chart`)
      expect(chart).toBeGreaterThan(0)
      expect(files.length).toBeGreaterThan(3)
      expect(others).toBeLessThan(LOAD_BYTES_MAX)
      await visit.leave()
    })

    test('draws frames and takes input while all prices stream', async () => {
      const visit = await desk.visit('/')
      const { page } = visit
      await watchInputs(page)
      await signUpByForm(page, 'measures@example.com')
      const session = await visit.context.newCDPSession(page)
      const prices = await priceFrames(session)
      const margin = page.getByTestId('ticket-margin')
      await margin.waitFor()
      await page.waitForTimeout(2_000)
      await beginFrames(page)
      const from = prices.total()
      const begunMs = performance.now()
      /** Whether there is enough of all to say how even it was; how fast is for the figures, on a machine that is idle. */
      const isEnough = async (): Promise<boolean> =>
        performance.now() - begunMs >= STREAM_MS &&
        pairs.every(({ symbol }) => prices.of(symbol) >= UPDATES_MIN) &&
        (await readInputs(page)).count >= KEYS_MIN &&
        (await readFrames(page)).frames >= FRAMES_MIN
      const typed = { keys: 0, text: '' }
      do {
        typed.text = String(100 + (typed.keys % 900))
        typed.keys += typed.text.length
        await margin.fill('')
        await margin.pressSequentially(typed.text, { delay: 40 })
      } while (!(await isEnough()))
      const updates = ((prices.total() - from) * 1_000) / (performance.now() - begunMs)
      const drawn: FrameFigures = await readFrames(page)
      const input = await until(
        () => readInputs(page),
        ({ count, drawnCount }) => count >= typed.keys && drawnCount === count,
      )
      figures['streaming'] = { updatesPerSecond: Math.round(updates), ...drawn, input }
      step(`${Math.round(updates)} prices/s came; ${drawn.framesPerSecond} frames/s, 95 % within ${drawn.frameMs95} ms`)
      step(`${input.count} keys: until handled ${input.delayMs95} ms (95 %), until drawn ${input.drawnMs95} ms (95 %)`)
      expect(await margin.inputValue()).toBe(typed.text)
      await visit.leave()
    })
  },
)
