import { readFileSync } from 'node:fs'
import type { AxeResults } from 'axe-core'
import type { Page } from 'playwright-core'
import { inRoot } from '../../../../common/tooling/paths.mjs'
import { screens } from './chromium.ts'

const SOURCE = readFileSync(inRoot('node_modules/axe-core/axe.min.js'), 'utf8')

/**
 * What axe finds on a page as it is now, a line for each place: WCAG 2.2 A and AA and axe's own good practice, the serious
 * and the critical ones. Its source goes in by the debugger's door: the page's content policy stays as it is.
 */
const violationsOf = async (page: Page): Promise<string[]> => {
  await page.evaluate(SOURCE)
  const results = await page.evaluate<AxeResults>(`axe.run(document, {
    preload: false,
    resultTypes: ['violations'],
    runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'],
  })`)
  return results.violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .flatMap(({ id, nodes }) =>
      nodes.map(({ target, failureSummary }) => `${id}: ${target.join(' ')}: ${failureSummary ?? ''}`),
    )
}

/** What a page wider than its screen hides: on a phone nothing may need scrolling sideways but what is made for it. */
const overflowOf = async (page: Page): Promise<string[]> => {
  const over = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)
  return over > 0 ? [`the page is ${over} px wider than the screen`] : []
}

/** Looks at a page on both screens in both schemes; each finding begins with where. The page ends light, on a desktop. */
export const lookAt = async (page: Page): Promise<string[]> => {
  const found: string[] = []
  for (const screen of ['phone', 'desktop'] as const) {
    await page.setViewportSize(screens[screen].viewport)
    for (const colorScheme of ['dark', 'light'] as const) {
      await page.emulateMedia({ colorScheme })
      await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))))
      const here = [...(await violationsOf(page)), ...(await overflowOf(page))]
      found.push(...here.map((finding) => `${screen}, ${colorScheme}: ${finding}`))
    }
  }
  return found
}
