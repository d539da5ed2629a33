import { afterAll, beforeAll, expect, test } from '@jest/globals'
import type { CDPSession, Page } from 'playwright-core'
import { call, until } from '../../../all-in-one/test/support/calls.ts'
import { describeUnless } from '@bourse/common/testkit/skip.ts'
import { startProxy, type Proxy } from '@bourse/common/testkit/servers/proxy.ts'
import { missingChromium } from './support/chromium.ts'
import { openDesk, type Desk } from './support/desk.ts'
import { step } from './support/step.ts'

interface AppManifest {
  readonly errors: readonly { readonly message: string }[]
  readonly data: string
}

interface Icon {
  readonly src: string
  readonly sizes: string
  readonly type: string
}

/** What keeps Chromium from offering to install the page, but for the profile that forgets everything. */
const installFaults = async (session: CDPSession): Promise<string[]> => {
  const { installabilityErrors } = (await session.send('Page.getInstallabilityErrors')) as {
    readonly installabilityErrors: readonly { readonly errorId: string }[]
  }
  return installabilityErrors.map(({ errorId }) => errorId).filter((id) => id !== 'in-incognito')
}

/** Waits until the service worker keeps every asset that the page has loaded. */
const expectKept = async (page: Page): Promise<void> => {
  await page.evaluate(() => navigator.serviceWorker.ready.then(() => undefined))
  step('the service worker is active')
  await page.waitForFunction(async () => {
    const cache = await caches.open((await caches.keys())[0] ?? '')
    const kept = (await cache.keys()).map((request) => request.url)
    const loaded = performance.getEntriesByType('resource').map((entry) => entry.name)
    const assets = loaded.filter((url) => url.includes('/assets/'))
    return assets.length > 2 && assets.every((url) => kept.includes(url))
  })
}

const widthOfPng = (bytes: Uint8Array): number => new DataView(bytes.buffer, bytes.byteOffset).getUint32(16)

describeUnless(missingChromium, 'the console as an app of the device', () => {
  let desk: Desk
  let proxy: Proxy
  let url = ''
  beforeAll(async () => {
    desk = await openDesk({})
    proxy = await startProxy({ port: Number(new URL(desk.bourse.url).port) })
    url = proxy.urlOf(desk.bourse.url)
  })
  afterAll(async () => {
    await proxy.stop()
    await desk.stop()
  })

  test('can be installed: its manifest is sound and each icon is what it says', async () => {
    const visit = await desk.visit('/')
    const session = await visit.context.newCDPSession(visit.page)
    const manifest = (await session.send('Page.getAppManifest')) as AppManifest
    expect(manifest.errors).toEqual([])
    // Judged once the page has settled.
    await until(
      () => installFaults(session),
      (faults) => faults.length === 0,
    )
    const { icons } = JSON.parse(manifest.data) as { readonly icons: readonly Icon[] }
    for (const { src, sizes, type } of icons) {
      const answer = await fetch(new URL(src, desk.bourse.url))
      step(`${src} is served as ${answer.headers.get('content-type') ?? 'nothing'}, ${sizes}`)
      expect(`${answer.status} ${answer.headers.get('content-type') ?? ''}`).toContain(`200 ${type}`)
      if (type !== 'image/png') continue
      expect(`${widthOfPng(new Uint8Array(await answer.arrayBuffer()))}`).toBe(sizes.split('x')[0])
    }
    await visit.leave()
  })

  test('opens without a network after one visit, and says in words that there is none', async () => {
    const visit = await desk.visit('/', { url, serviceWorkers: 'allow' })
    await expectKept(visit.page)
    proxy.refuse()
    await visit.page.reload()
    step('the network is gone, the page was opened again')
    await visit.page.getByRole('navigation', { name: 'Pages' }).waitFor()
    await visit.page
      .getByText(/no connection|connection (is )?lost|not connected|offline/i)
      .first()
      .waitFor()
    proxy.heal()
    await visit.leave()
  })

  test('keeps nothing of the API, not even while there is a network', async () => {
    const visit = await desk.visit('/', { serviceWorkers: 'allow' })
    await expectKept(visit.page)
    await visit.page.reload()
    await expectKept(visit.page)
    expect((await call(`${desk.bourse.url}/api/v1/markets`)).status).toBe(200)
    await visit.page.evaluate(() => fetch('/api/v1/markets').then((answer) => answer.text()))
    const kept = await visit.page.evaluate(async () => {
      const caches_ = await Promise.all((await caches.keys()).map((name) => caches.open(name)))
      const requests = (await Promise.all(caches_.map((cache) => cache.keys()))).flat()
      return requests.map((request) => new URL(request.url).pathname)
    })
    step(`kept: ${kept.length} files`)
    expect(kept.length).toBeGreaterThan(1)
    expect(kept.filter((path) => path !== '/' && !path.startsWith('/assets/'))).toEqual([])
    await visit.leave()
  })
})
