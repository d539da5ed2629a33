import type { BrowserContext } from 'playwright-core'

/** What a browser noticed that must never happen. */
export interface Watch {
  /** So far, a line each: broken content policy, an uncaught error, a request to another site. */
  readonly faults: readonly string[]
}

/** What the page calls when its content policy was broken; a binding of the test, so that a navigation loses nothing. */
const BINDING = 'bourseTestViolation'

/** A refused call is part of many tests, and the browser logs each. */
const isOrdinary = (text: string): boolean =>
  text.startsWith('Failed to load resource') || text.startsWith('WebSocket connection to')

/** Watches all pages of a context, from their first script on. `origin` is the only site that they may ask. */
export const watch = async (context: BrowserContext, origin: string): Promise<Watch> => {
  const faults: string[] = []
  await context.exposeBinding(BINDING, (_source, violation: string) => void faults.push(`content policy: ${violation}`))
  await context.addInitScript((binding) => {
    document.addEventListener('securitypolicyviolation', (event) => {
      const tell = Reflect.get(window, binding) as (violation: string) => void
      tell(`${event.violatedDirective} refused ${event.blockedURI} ${event.sourceFile}:${event.lineNumber}`)
    })
  }, BINDING)
  context.on('weberror', (error) => void faults.push(`uncaught: ${error.error().stack ?? error.error().message}`))
  context.on('console', (message) => {
    if (message.type() === 'error' && !isOrdinary(message.text())) faults.push(`console: ${message.text()}`)
  })
  context.on('request', (request) => {
    const url = new URL(request.url())
    const isOwn = url.origin === origin || url.origin === origin.replace('http', 'ws')
    if (!isOwn && !['data:', 'blob:'].includes(url.protocol)) faults.push(`asked another site: ${request.url()}`)
  })
  return { faults }
}
