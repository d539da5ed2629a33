import type { Page } from 'playwright-core'

/** When a page was there, ms after its address was asked for. */
export interface LoadFigures {
  readonly firstByteMs: number
  readonly domContentLoadedMs: number
  readonly firstPaintMs: number
  readonly largestPaintMs: number
}

/** How even the frames were. */
export interface FrameFigures {
  readonly frames: number
  readonly framesPerSecond: number
  readonly frameMs50: number
  readonly frameMs95: number
  readonly frameMsMax: number
  /** Frames that took longer than two of sixty a second. */
  readonly lateFrames: number
  /** Time in tasks longer than 50 ms. */
  readonly longTasksMs: number
}

/** How long keys waited: until a handler ran, and until the frame after it. */
export interface InputFigures {
  readonly count: number
  /** How many of them have been drawn by now. */
  readonly drawnCount: number
  readonly delayMs50: number
  readonly delayMs95: number
  readonly delayMsMax: number
  readonly drawnMs50: number
  readonly drawnMs95: number
  readonly drawnMsMax: number
}

const KEY = 'bourseTestTimings'

const share = (values: readonly number[], part: number): number => {
  const sorted = [...values].sort((a, b) => a - b)
  return Math.round((sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0) * 10) / 10
}

/** Reads the browser's own timings of the load; waits until the largest paint is known. */
export const readLoad = (page: Page): Promise<LoadFigures> =>
  page.evaluate(
    () =>
      new Promise<LoadFigures>((resolve) => {
        const [navigation] = performance.getEntriesByType('navigation') as PerformanceNavigationTiming[]
        new PerformanceObserver((list) => {
          const first = performance.getEntriesByName('first-contentful-paint')[0]
          resolve({
            firstByteMs: Math.round(navigation?.responseStart ?? 0),
            domContentLoadedMs: Math.round(navigation?.domContentLoadedEventEnd ?? 0),
            firstPaintMs: Math.round(first?.startTime ?? 0),
            largestPaintMs: Math.round(list.getEntries().at(-1)?.startTime ?? 0),
          })
        }).observe({ type: 'largest-contentful-paint', buffered: true })
      }),
  )

/** Notes every frame and every long task from now on. */
export const beginFrames = (page: Page): Promise<void> =>
  page.evaluate((key) => {
    const noted = { frames: [] as number[], longTasks: [] as number[] }
    Reflect.set(window, `${key}Frames`, noted)
    const frame = (at: number): void => {
      noted.frames.push(at)
      requestAnimationFrame(frame)
    }
    requestAnimationFrame(frame)
    new PerformanceObserver((list) => {
      for (const { duration } of list.getEntries()) noted.longTasks.push(duration)
    }).observe({ type: 'longtask' })
  }, KEY)

/** What was noted since `beginFrames`. */
export const readFrames = async (page: Page): Promise<FrameFigures> => {
  const { frames, longTasks } = await page.evaluate(
    (key) => Reflect.get(window, `${key}Frames`) as { frames: number[]; longTasks: number[] },
    KEY,
  )
  const lengths = frames.slice(1).map((at, index) => at - (frames[index] ?? at))
  const spanMs = (frames.at(-1) ?? 0) - (frames[0] ?? 0)
  return {
    frames: lengths.length,
    framesPerSecond: Math.round((lengths.length * 10_000) / spanMs) / 10,
    frameMs50: share(lengths, 0.5),
    frameMs95: share(lengths, 0.95),
    frameMsMax: share(lengths, 1),
    lateFrames: lengths.filter((ms) => ms > 34).length,
    longTasksMs: Math.round(longTasks.reduce((total, ms) => total + ms, 0)),
  }
}

/** Notes every key from now on. */
export const watchInputs = (page: Page): Promise<void> =>
  page.evaluate((key) => {
    const noted = { delays: [] as number[], drawn: [] as number[] }
    Reflect.set(window, `${key}Inputs`, noted)
    addEventListener(
      'keydown',
      (event) => {
        noted.delays.push(performance.now() - event.timeStamp)
        // The second frame begins when the first one, which shows what the key did, has been handed over.
        requestAnimationFrame(() => requestAnimationFrame(() => noted.drawn.push(performance.now() - event.timeStamp)))
      },
      { capture: true },
    )
  }, KEY)

/** What was noted since `watchInputs`. */
export const readInputs = async (page: Page): Promise<InputFigures> => {
  const { delays, drawn } = await page.evaluate(
    (key) => Reflect.get(window, `${key}Inputs`) as { delays: number[]; drawn: number[] },
    KEY,
  )
  return {
    count: delays.length,
    drawnCount: drawn.length,
    delayMs50: share(delays, 0.5),
    delayMs95: share(delays, 0.95),
    delayMsMax: share(delays, 1),
    drawnMs50: share(drawn, 0.5),
    drawnMs95: share(drawn, 0.95),
    drawnMsMax: share(drawn, 1),
  }
}
