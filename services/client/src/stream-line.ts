import type { Schedule } from './environment.ts'

/** What the stream reads of a socket's event. `type`, which all have, is what makes each of them one to the compiler. */
export interface StreamSocketEvent {
  readonly type?: string
  readonly data?: unknown
}

/** The part of a WebSocket that the stream uses: the browser's, Node's and the package `ws`'s are one. */
export interface StreamSocket {
  send(text: string): void
  close(code?: number, reason?: string): void
  addEventListener(type: 'open' | 'message' | 'close' | 'error', listener: (event: StreamSocketEvent) => void): void
}

/** The connection as it is. */
export type LineState =
  | { readonly state: 'connecting' }
  | { readonly state: 'open' }
  | { readonly state: 'waiting'; readonly retryAtMs: number }
  | { readonly state: 'stopped' }

/** What a line is made of. */
export interface LineDeps {
  readonly url: string
  readonly webSocket: (url: string) => StreamSocket
  readonly now: () => number
  readonly schedule: Schedule
  readonly random: () => number
  readonly onOpen: () => void
  readonly onMessage: (text: string) => void
  readonly onState: (state: LineState) => void
}

/** One connection after the other, as long as it is not stopped. */
export interface Line {
  start(): void
  state(): LineState
  isOpen(): boolean
  /** Sends on an open connection; on any other nothing happens: opening subscribes everything again. */
  send(text: string): void
  /** Ends a wait: the next attempt comes now. */
  hurry(): void
  /** Ends what there is, whatever it is, and connects. */
  reconnect(): void
  stop(): void
}

/** How long a connection may take to open. */
const OPEN_TIMEOUT_MS = 10_000
/** After so long without a message the other side is asked for one. */
const SILENCE_MS = 15_000
/** And has so long to send it. */
const PONG_TIMEOUT_MS = 5_000
/** Waits between attempts: the first, and the longest. */
const FIRST_WAIT_MS = 500
const WAIT_MS_MAX = 15_000
/** A connection that held so long is a good one: the next loss begins with the first wait again. */
const GOOD_AFTER_MS = 10_000

/** Before attempt 1, 2, …: twice as long each time up to the longest, between half and all of it. */
const waitMsBefore = (attempt: number, random: () => number): number => {
  const most = Math.min(WAIT_MS_MAX, FIRST_WAIT_MS * 2 ** Math.min(attempt, 10))
  return Math.round(most * (1 + random()) * 0.5)
}

/** One thing is waited for at any time: opening, a sign of life, or the next attempt. */
const createTimer = (schedule: Schedule) => {
  let cancel = (): void => undefined
  return {
    later: (delayMs: number, task: () => void): void => {
      cancel()
      cancel = schedule(delayMs, task)
    },
    stop: (): void => {
      cancel()
    },
  }
}

type Timer = ReturnType<typeof createTimer>

/** Looks for signs of life; without one asks for one; without an answer the connection is dead, whatever it says of itself. */
const createPulse = ({ later }: Timer, ask: () => void, dead: () => void) => {
  let heard = false
  const watch = (): void => {
    heard = false
    later(SILENCE_MS, () => {
      if (heard) {
        watch()
        return
      }
      ask()
      later(PONG_TIMEOUT_MS, () => {
        if (heard) watch()
        else dead()
      })
    })
  }
  return {
    watch,
    beat: (): void => {
      heard = true
    },
  }
}

/** Listens to a socket for as long as it is the one in use: what an old one still says is nobody's. */
const listenTo = (
  socket: StreamSocket,
  isMine: () => boolean,
  heard: { readonly open: () => void; readonly close: () => void; readonly message: (data: unknown) => void },
): void => {
  socket.addEventListener('open', () => {
    if (isMine()) heard.open()
  })
  socket.addEventListener('close', () => {
    if (isMine()) heard.close()
  })
  // An error is always followed by a close, which decides; without a listener some implementations would throw.
  socket.addEventListener('error', () => undefined)
  socket.addEventListener('message', ({ data }) => {
    if (isMine()) heard.message(data)
  })
}

/** Makes a line; `start` connects. */
export const createLine = (deps: LineDeps): Line => {
  const { now, random } = deps
  let state: LineState = { state: 'connecting' }
  let socket: StreamSocket | null = null
  let failures = 0
  let goodFromMs = Number.POSITIVE_INFINITY
  const timer = createTimer(deps.schedule)

  const become = (next: LineState): void => {
    state = next
    deps.onState(next)
  }
  const drop = (): void => {
    timer.stop()
    const old = socket
    socket = null
    old?.close(1000, 'the client goes on elsewhere')
  }
  const lost = (): void => {
    drop()
    const delayMs = waitMsBefore(failures, random)
    failures += 1
    timer.later(delayMs, connect)
    become({ state: 'waiting', retryAtMs: now() + delayMs })
  }
  const pulse = createPulse(timer, () => socket?.send('{"op":"ping"}'), lost)
  const open = (): void => {
    goodFromMs = now() + GOOD_AFTER_MS
    pulse.watch()
    state = { state: 'open' }
    // Subscribed before anybody hears that it is open: what a listener asks for then comes after.
    deps.onOpen()
    deps.onState(state)
  }
  const message = (data: unknown): void => {
    pulse.beat()
    if (now() >= goodFromMs) failures = 0
    if (typeof data === 'string') deps.onMessage(data)
  }
  const connect = (): void => {
    drop()
    become({ state: 'connecting' })
    // Whoever heard that may have stopped it.
    if (state.state !== 'connecting') return
    timer.later(OPEN_TIMEOUT_MS, lost)
    try {
      const made = deps.webSocket(deps.url)
      socket = made
      listenTo(made, () => socket === made, { open, close: lost, message })
    } catch {
      // A constructor that throws is a connection that failed: the next attempt comes like after any other.
      lost()
    }
  }

  return {
    start: connect,
    state: () => state,
    isOpen: () => state.state === 'open',
    send: (text) => {
      if (state.state === 'open') socket?.send(text)
    },
    hurry: () => {
      if (state.state === 'waiting') connect()
    },
    reconnect: () => {
      if (state.state === 'stopped') return
      failures = 0
      connect()
    },
    stop: () => {
      drop()
      become({ state: 'stopped' })
    },
  }
}
