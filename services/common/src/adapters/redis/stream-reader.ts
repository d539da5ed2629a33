import type { Clock } from '../../ports/clock.ts'
import { PortError } from '../../ports/failure.ts'
import type { RedisConnection, RedisLine } from './connection.ts'

/** Longest one read waits at the server for something new, ms. */
export const READ_BLOCK_MS = 1_000
/** Entries of one stream taken by one read. */
export const READ_ENTRIES_MAX = 128
/** Streams whose newest entry is asked for at a time. */
export const CHECK_STREAMS_MAX = 256
/** How often newest entries are asked for while reading goes well, ms: that shows a stream that was emptied. */
export const CHECK_INTERVAL_MS = 1_000
/** Pause after a failure, ms. */
const RETRY_PAUSE_MS = 100

/** Before every entry. */
const START = '0-0'

/** What the reader needs. */
export interface StreamReaderOptions {
  readonly connection: RedisConnection
  readonly clock: Clock
  readonly keyOf: (name: string) => string
  /** Gets entries in the order of their stream; some come twice, and after a pause only the newest may come. */
  readonly onEntry: (name: string, fields: readonly Buffer[]) => void
}

/** Reads any number of streams over one blocking connection. */
export interface StreamReader {
  /** Reads this stream too: its newest entry first, then what follows. */
  follow(name: string): void
  /** Resolves when the newest entries of these followed streams were asked for and answered, or the reader is closed. */
  whenSeen(names: readonly string[]): Promise<void>
  /** Times a stream was found emptied. */
  restarts(): number
  close(): Promise<void>
}

type Entry = readonly [Buffer, readonly Buffer[]]
type Answer = readonly (readonly [Buffer, readonly Entry[]])[] | null

interface Stream {
  readonly name: string
  readonly key: string
  /** What is read follows this id; null until the newest entry was first asked for. */
  lastId: string | null
  /** Whether its newest entry was asked for on this connection: before that, `lastId` may be of another server's life. */
  isSeen: boolean
}

const partsOf = (id: string): [bigint, bigint] => {
  const [time, count] = id.split('-')
  return [BigInt(time ?? 0), BigInt(count ?? 0)]
}
const isOlder = (left: string, right: string): boolean => {
  const [leftTime, leftCount] = partsOf(left)
  const [rightTime, rightCount] = partsOf(right)
  return leftTime === rightTime ? leftCount < rightCount : leftTime < rightTime
}

/** The state of the streams: which ids they were read up to. */
const createStreams = ({ connection, keyOf, onEntry }: StreamReaderOptions) => {
  const streams = new Map<string, Stream>()
  const byKey = new Map<string, Stream>()
  let restarts = 0
  let checkedUpTo = 0

  /** Asks for the newest entry of each: what a new reader begins with, and what shows that a stream began anew. */
  const look = async (some: readonly Stream[]): Promise<void> => {
    const answers = await Promise.all(
      some.map(({ key }) => connection.command('XREVRANGE', key, '+', '-', 'COUNT', 1) as Promise<Entry[]>),
    )
    answers.forEach(([newest], index) => {
      const stream = some[index]!
      const newestId = newest?.[0].toString('latin1') ?? START
      stream.isSeen = true
      if (stream.lastId === null) {
        stream.lastId = newestId
        if (newest !== undefined) onEntry(stream.name, newest[1])
      } else if (isOlder(newestId, stream.lastId)) {
        // Emptied, by FLUSHALL or a restart: ids may start lower, and a read after the old one would wait for ever.
        restarts += 1
        stream.lastId = START
      }
    })
  }

  return {
    add: (name: string): void => {
      if (streams.has(name)) return
      const stream: Stream = { name, key: keyOf(name), lastId: null, isSeen: false }
      streams.set(name, stream)
      byKey.set(stream.key, stream)
    },
    restarts: () => restarts,
    isSeen: (name: string): boolean => streams.get(name)?.isSeen ?? true,
    forget: (): void => {
      for (const stream of streams.values()) stream.isSeen = false
    },
    /** Looks at those not seen yet, a page after the other. */
    lookAtNew: async (): Promise<void> => {
      for (;;) {
        const unseen = [...streams.values()].filter(({ isSeen }) => !isSeen).slice(0, CHECK_STREAMS_MAX)
        if (unseen.length === 0) return
        await look(unseen)
      }
    },
    /** Looks at the next page of all, round and round. */
    lookAround: async (): Promise<void> => {
      const all = [...streams.values()]
      if (checkedUpTo >= all.length) checkedUpTo = 0
      const page = all.slice(checkedUpTo, checkedUpTo + CHECK_STREAMS_MAX)
      checkedUpTo += page.length
      await look(page)
    },
    read: async (line: RedisLine): Promise<void> => {
      const all = [...streams.values()]
      // One that came in the meantime would have to wait until this read ends.
      if (!all.every(({ isSeen }) => isSeen)) return
      const wanted = [...all.map(({ key }) => key), ...all.map(({ lastId }) => lastId ?? START)]
      const parts = ['XREAD', 'COUNT', READ_ENTRIES_MAX, 'BLOCK', READ_BLOCK_MS, 'STREAMS', ...wanted]
      const answer = (await line.command(...parts)) as Answer
      for (const [key, entries] of answer ?? []) {
        const stream = byKey.get(key.toString('utf8'))
        for (const [id, fields] of entries) {
          if (stream === undefined) continue
          stream.lastId = id.toString('latin1')
          onEntry(stream.name, fields)
        }
      }
    },
  }
}

/** Makes a reader; it connects with the first stream it is to follow. */
export const createStreamReader = (options: StreamReaderOptions): StreamReader => {
  const { connection, clock } = options
  const streams = createStreams(options)
  const closing = new AbortController()
  const waiting = new Set<() => void>()
  let line: RedisLine | null = null
  /** What the server calls the blocking connection; null while it is not known. */
  let lineId: number | null = null
  let connects = 0
  let running: Promise<void> | null = null
  let nextCheckMs = 0

  const tellWaiting = (): void => {
    for (const tell of [...waiting]) tell()
  }
  const round = async (on: RedisLine): Promise<void> => {
    if (on.counters().connects !== connects || lineId === null) {
      lineId = Number(await on.command('CLIENT', 'ID'))
      connects = on.counters().connects
      streams.forget()
    }
    if (clock.monotonicMs() >= nextCheckMs) {
      await streams.lookAround()
      nextCheckMs = clock.monotonicMs() + CHECK_INTERVAL_MS
    }
    await streams.lookAtNew()
    tellWaiting()
    await streams.read(on)
  }
  const run = async (on: RedisLine): Promise<void> => {
    while (!closing.signal.aborted) {
      try {
        await round(on)
      } catch (error) {
        if (!(error instanceof PortError)) throw error
        lineId = null
        await clock.sleep(RETRY_PAUSE_MS, closing.signal).catch(() => undefined)
      }
    }
  }
  /** Ends the read that waits at the server, so that the next one asks for the new stream too. */
  const interrupt = (): void => {
    if (lineId === null) return
    connection.command('CLIENT', 'UNBLOCK', lineId).catch((error: unknown) => {
      // The read ends by itself within READ_BLOCK_MS.
      if (!(error instanceof PortError)) throw error
    })
  }

  return {
    follow: (name) => {
      if (closing.signal.aborted) return
      streams.add(name)
      if (running === null) {
        line = connection.openBlocking('prices', READ_BLOCK_MS)
        running = run(line)
      } else {
        interrupt()
      }
    },
    whenSeen: (names) =>
      new Promise((resolve) => {
        const tell = (): void => {
          if (!closing.signal.aborted && !names.every((name) => streams.isSeen(name))) return
          waiting.delete(tell)
          resolve()
        }
        waiting.add(tell)
        tell()
      }),
    restarts: streams.restarts,
    close: async () => {
      closing.abort(new Error('the reader is closed'))
      tellWaiting()
      await line?.close()
      await running
    },
  }
}
