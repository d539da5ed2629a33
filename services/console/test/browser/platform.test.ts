import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { describeUnless } from '@bourse/common/testkit/skip.ts'
import { ADMIN_TOKEN } from '../../../all-in-one/test/support/bourse.ts'
import { until } from '../../../all-in-one/test/support/calls.ts'
import { adminClient } from '../../../all-in-one/test/support/clients.ts'
import { missingChromium } from './support/chromium.ts'
import { openDesk, type Desk } from './support/desk.ts'
import { openPlatform } from './support/platform.ts'
import { step } from './support/step.ts'

describeUnless(missingChromium, 'an operator at the platform page', () => {
  let desk: Desk
  beforeAll(async () => {
    desk = await openDesk({})
  })
  afterAll(() => desk.stop())

  test('sees every partition with what it has, and keeps the token in the tab', async () => {
    const visit = await desk.visit('/platform')
    const { page } = visit
    await openPlatform(page)
    step(`readiness: "${(await page.getByTestId('platform-readiness').innerText()).replaceAll('\n', ' ')}"`)
    const partitions = await adminClient(desk.bourse.url).partitions()
    expect(partitions.length).toBeGreaterThan(4)
    for (const { name } of partitions) await page.getByTestId(`partition-${name}`).waitFor()
    step(`all ${partitions.length} partitions are there`)
    const sent: string[] = []
    page.on('request', (request) => sent.push(request.method()))
    // It reads itself anew while it is looked at.
    await page.waitForResponse((answer) => answer.url().includes('/api/v1/admin/'))
    expect(sent.filter((method) => method !== 'GET')).toEqual([])
    const kept = await page.evaluate(() =>
      JSON.stringify([{ ...localStorage }, { ...sessionStorage }, location.href, document.cookie]),
    )
    expect(kept).not.toContain(ADMIN_TOKEN)
    await page.reload()
    await page.getByLabel('Administration token', { exact: true }).waitFor()
    step('it only reads; a reload forgets the token')
    await visit.leave()
  })

  test('and no visit hides a broken content policy, an uncaught error or a request to another site', async () => {
    const visit = await desk.visit('/')
    await visit.page.evaluate(() => {
      const script = document.createElement('script')
      script.textContent = 'window.wasRun = true'
      document.body.append(script)
      const image = new Image()
      image.src = 'http://localhost:9/pixel.png'
      setTimeout(() => {
        throw new Error('planted')
      })
    })
    const kinds = ['content policy: script-src', 'content policy: img-src', 'uncaught: Error: planted']
    const seen = await until(
      async () => visit.faults,
      (faults) => kinds.every((kind) => faults.some((fault) => fault.includes(kind))),
    )
    step(`noticed: ${seen.length} faults`)
    await expect(visit.leave()).rejects.toThrow('planted')
  })
})
