import { connect, createServer, type Server, type Socket } from 'node:net'

/** Which way bytes go: `forth` from the client to the server, `back` the other way. */
export type Direction = 'forth' | 'back'

/** A TCP proxy in front of a server that can spoil what goes through it. */
export interface Proxy {
  readonly host: '127.0.0.1'
  readonly port: number
  /** The server's URL with the proxy's address in place of its own. */
  urlOf(serverUrl: string): string
  /** Resets all connections; new ones are let through. */
  cut(): void
  /** Resets all connections and refuses new ones until `heal`. */
  refuse(): void
  /**
   * Bytes vanish from now on, the given way or both; connections stay open and new ones are accepted. What was swallowed is
   * never made up for: after `heal` a connection that lost bytes is reset. Bytes that have not reached the proxy when it is
   * healed pass: whoever wants an answer lost for certain cuts the connections before.
   */
  blackHole(direction?: Direction): void
  /** Bytes wait for `delayMs` each way (or one way) before they go on, in order. */
  delay(delayMs: number, direction?: Direction): void
  /** Bytes are held back, the given way or both, and go on, in order, after `heal`. */
  pause(direction?: Direction): void
  /** All is well again. */
  heal(): void
  /** Open connections. */
  connections(): number
  counts(): ProxyCounts
  stop(): Promise<void>
}

/** What went through a proxy since its start. */
export interface ProxyCounts {
  /** Connections made. */
  readonly accepted: number
  /** Bytes forwarded. */
  readonly forth: number
  readonly back: number
  /** Bytes that vanished in a black hole. */
  readonly swallowed: Readonly<Record<Direction, number>>
}

/** Where it forwards to. */
export interface ProxyOptions {
  readonly port: number
  readonly host?: string
  /** Listens here; a free port by default. */
  readonly listenPort?: number
}

type Mode = 'open' | 'swallow' | 'hold'
interface Way {
  mode: Mode
  delayMs: number
}
interface Pipe {
  readonly client: Socket
  readonly server: Socket
  lost: boolean
  readonly release: (() => void)[]
}

const listen = (server: Server, port: number): Promise<number> =>
  new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', () => {
      const address = server.address()
      resolve(address !== null && typeof address === 'object' ? address.port : 0)
    })
  })

/** Starts a proxy on the loopback. */
export const startProxy = async (options: ProxyOptions): Promise<Proxy> => {
  const ways: Record<Direction, Way> = { forth: { mode: 'open', delayMs: 0 }, back: { mode: 'open', delayMs: 0 } }
  const pipes = new Set<Pipe>()
  const counts = { accepted: 0, forth: 0, back: 0, swallowed: { forth: 0, back: 0 } }
  let isRefusing = false

  const end = (pipe: Pipe): void => {
    pipes.delete(pipe)
    pipe.client.resetAndDestroy()
    pipe.server.destroy()
  }

  /** Carries bytes one way; what is delayed or held keeps its order because each way has one line. */
  const carry = (pipe: Pipe, direction: Direction): void => {
    const [from, to] = direction === 'forth' ? [pipe.client, pipe.server] : [pipe.server, pipe.client]
    const way = ways[direction]
    const line: { readonly bytes: Buffer | null; readonly dueMs: number }[] = []
    let timer: NodeJS.Timeout | null = null
    const pass = (bytes: Buffer | null): void => {
      if (bytes === null) {
        to.end()
        return
      }
      counts[direction] += bytes.length
      if (!to.write(bytes)) {
        from.pause()
        to.once('drain', () => from.resume())
      }
    }
    const flush = (): void => {
      timer = null
      for (let next = line[0]; next !== undefined && way.mode !== 'hold'; next = line[0]) {
        const waitMs = next.dueMs - performance.now()
        if (waitMs > 0) {
          timer = setTimeout(flush, waitMs)
          return
        }
        line.shift()
        pass(next.bytes)
      }
    }
    const take = (bytes: Buffer | null): void => {
      if (way.mode === 'swallow') {
        pipe.lost = true
        counts.swallowed[direction] += bytes?.length ?? 0
        return
      }
      if (way.mode === 'open' && way.delayMs === 0 && line.length === 0) pass(bytes)
      else {
        line.push({ bytes, dueMs: performance.now() + way.delayMs })
        if (timer === null) flush()
      }
    }
    from.on('data', take)
    from.once('end', () => take(null))
    from.once('close', () => {
      if (timer !== null) clearTimeout(timer)
    })
    pipe.release.push(() => {
      if (timer === null) flush()
    })
  }

  const accept = (client: Socket): void => {
    if (isRefusing) {
      client.resetAndDestroy()
      return
    }
    counts.accepted += 1
    const server = connect({ host: options.host ?? '127.0.0.1', port: options.port, allowHalfOpen: true })
    const pipe: Pipe = { client, server, lost: false, release: [] }
    pipes.add(pipe)
    for (const socket of [client, server]) {
      socket.setNoDelay(true)
      socket.on('error', () => end(pipe))
    }
    client.once('close', () => end(pipe))
    server.once('close', () => {
      // The server is gone: a way that swallows hides that from the client, as a dead network does.
      if (ways.back.mode === 'open') end(pipe)
      else pipe.lost = true
    })
    carry(pipe, 'forth')
    carry(pipe, 'back')
  }

  const listener = createServer({ allowHalfOpen: true }, accept)
  const port = await listen(listener, options.listenPort ?? 0)
  const each = (direction: Direction | undefined, change: (way: Way) => void): void => {
    for (const name of ['forth', 'back'] as const) if (direction === undefined || direction === name) change(ways[name])
  }
  const cut = (): void => {
    for (const pipe of [...pipes]) end(pipe)
  }

  return {
    host: '127.0.0.1',
    port,
    urlOf: (serverUrl) => {
      const url = new URL(serverUrl)
      url.hostname = '127.0.0.1'
      url.port = String(port)
      return url.href
    },
    cut,
    refuse: () => {
      isRefusing = true
      cut()
    },
    blackHole: (direction) => each(direction, (way) => (way.mode = 'swallow')),
    delay: (delayMs, direction) => each(direction, (way) => (way.delayMs = delayMs)),
    pause: (direction) => each(direction, (way) => (way.mode = 'hold')),
    heal: () => {
      isRefusing = false
      each(undefined, (way) => {
        way.mode = 'open'
        way.delayMs = 0
      })
      for (const pipe of [...pipes]) {
        if (pipe.lost) end(pipe)
        else for (const release of pipe.release) release()
      }
    },
    connections: () => pipes.size,
    counts: () => ({ ...counts, swallowed: { ...counts.swallowed } }),
    stop: async () => {
      cut()
      await new Promise<void>((resolve) => listener.close(() => resolve()))
    },
  }
}
