import { existsSync } from 'node:fs'
import { chromium, type Browser } from 'playwright-core'
import { WAIT_MS_MAX } from '../../../../all-in-one/test/support/limits.ts'

/** Debian's place for it, unless told another. */
const executablePath = process.env['BOURSE_TEST_CHROMIUM'] ?? '/usr/bin/chromium'

/** Why there are no browser tests here; undefined when there is a Chromium. */
export const missingChromium: string | undefined = existsSync(executablePath)
  ? undefined
  : `no Chromium at ${executablePath}; install the package chromium, or name one in BOURSE_TEST_CHROMIUM`

/** Starts a browser without a window. As root Chromium has no sandbox to offer. */
export const launchChromium = (): Promise<Browser> =>
  chromium.launch({ executablePath, chromiumSandbox: process.getuid?.() !== 0, timeout: WAIT_MS_MAX })

/** A phone and a desk: what is shown, how it is pointed at. */
export const screens = {
  phone: { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true },
  desktop: { viewport: { width: 1440, height: 900 } },
} as const
/** One of the two. */
export type Screen = keyof typeof screens
