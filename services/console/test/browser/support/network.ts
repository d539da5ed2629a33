import type { CDPSession } from 'playwright-core'

/** What came over the wire for a first load, headers included, as compressed as it came. */
export interface LoadBytes {
  /** The chart's own file. */
  readonly chart: number
  /** Page, scripts, styles, machine, icons; the API's answers are no part of a load. */
  readonly others: number
  /** What `others` are, with their bytes. */
  readonly files: readonly string[]
}

const isOfApi = (path: string): boolean => /^\/(api|ws|livez)/.test(path)
const isChart = (path: string): boolean => /^\/assets\/[^/]*(chart)/i.test(path)

/** Counts bytes from now on, by the browser's own account of what its network gave. */
export const countBytes = async (session: CDPSession): Promise<() => LoadBytes> => {
  const paths = new Map<string, string>()
  const bytes = new Map<string, number>()
  await session.send('Network.enable')
  await session.send('Network.setCacheDisabled', { cacheDisabled: true })
  session.on('Network.requestWillBeSent', ({ requestId, request }) => {
    paths.set(requestId, new URL(request.url).pathname)
  })
  session.on('Network.loadingFinished', ({ requestId, encodedDataLength }) => {
    bytes.set(requestId, encodedDataLength)
  })
  return () => {
    const files = [...bytes]
      .map(([id, size]) => ({ path: paths.get(id) ?? '', size }))
      .filter(({ path }) => !isOfApi(path))
    const sum = (chosen: readonly { readonly size: number }[]): number =>
      chosen.reduce((total, { size }) => total + size, 0)
    const others = files.filter(({ path }) => !isChart(path))
    return {
      chart: sum(files.filter(({ path }) => isChart(path))),
      others: sum(others),
      files: others.map(({ path, size }) => `${path} ${size}`),
    }
  }
}

/** Prices that came. */
export interface PriceFrames {
  total(): number
  of(symbol: string): number
}

/** Counts the prices that come over WebSockets from now on. Ask before the socket is opened, or open it anew. */
export const priceFrames = async (session: CDPSession): Promise<PriceFrames> => {
  const counts = new Map<string, number>()
  await session.send('Network.enable')
  session.on('Network.webSocketFrameReceived', ({ response }) => {
    const symbol = /"channel":"prices:([^"]+)"/.exec(response.payloadData)?.[1]
    if (symbol !== undefined) counts.set(symbol, (counts.get(symbol) ?? 0) + 1)
  })
  return {
    total: () => [...counts.values()].reduce((sum, count) => sum + count, 0),
    of: (symbol) => counts.get(symbol) ?? 0,
  }
}
