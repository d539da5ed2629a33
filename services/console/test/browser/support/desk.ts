import { expect, jest } from '@jest/globals'
import type { Browser, BrowserContext, BrowserContextOptions, Page } from 'playwright-core'
import { createBourse, type Bourse, type BourseOptions } from '../../../../all-in-one/test/support/bourse.ts'
import { LIMIT_MS, WAIT_MS_MAX } from '../../../../all-in-one/test/support/limits.ts'
import { launchChromium, screens, type Screen } from './chromium.ts'
import { watch } from './watch.ts'

/** How a visit differs from the usual one: a desktop in its light scheme. */
export interface VisitOptions extends Omit<BrowserContextOptions, 'screen'> {
  readonly screen?: Screen
  /** Where the console is asked for; the platform itself by default. */
  readonly url?: string
}

/** A visitor: a browser's profile of their own with one tab. */
export interface Visit {
  readonly context: BrowserContext
  readonly page: Page
  /** What the browser noticed so far. */
  readonly faults: readonly string[]
  /** Fails when the browser noticed what must never happen. Every visit ends with it. */
  leave(): Promise<void>
}

/** A platform as `npm start` starts it, and a browser. */
export interface Desk {
  readonly bourse: Bourse
  readonly browser: Browser
  visit(path: string, options?: VisitOptions): Promise<Visit>
  stop(): Promise<void>
}

// Whoever opens a desk starts a platform and a browser: its tests and hooks have the time of those.
jest.setTimeout(LIMIT_MS)

/** Starts both. */
export const openDesk = async (options: BourseOptions): Promise<Desk> => {
  const [bourse, browser] = await Promise.all([createBourse(options), launchChromium()])
  try {
    await bourse.start()
  } catch (error) {
    await browser.close()
    await bourse.remove()
    throw error
  }
  return {
    bourse,
    browser,
    visit: async (path, { screen = 'desktop', url = bourse.url, ...rest } = {}) => {
      // What a service worker answers goes past the test's eyes; the tests of it let it in.
      const context = await browser.newContext({
        ...screens[screen],
        locale: 'en-GB',
        timezoneId: 'Asia/Baku',
        serviceWorkers: 'block',
        ...rest,
      })
      context.setDefaultTimeout(WAIT_MS_MAX)
      const { faults } = await watch(context, new URL(url).origin)
      const page = await context.newPage()
      await page.goto(new URL(path, url).href)
      return {
        context,
        page,
        faults,
        leave: async () => {
          await context.close()
          expect(faults).toEqual([])
        },
      }
    },
    stop: async () => {
      await browser.close()
      await bourse.remove()
    },
  }
}
