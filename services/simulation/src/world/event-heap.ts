/** An event that waits for its moment. `task` is null once it was cancelled. */
export interface WaitingEvent {
  readonly atMs: number
  /** Events of one moment happen in the order of scheduling. */
  readonly order: number
  readonly what: string
  task: (() => void) | null
}

/** The events to come, earliest first. */
export interface EventHeap {
  push(event: WaitingEvent): void
  /** The earliest that was not cancelled; stays in the heap. */
  peek(): WaitingEvent | undefined
  /** Takes the earliest out: the one that `peek` gave. */
  pop(): void
  /** Takes an event's task away: it never comes. One that has happened stays as it is. */
  cancel(event: WaitingEvent): void
}

const isBefore = (a: WaitingEvent, b: WaitingEvent): boolean =>
  a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order)

/** Cancelled events that may lie about before the heap is made anew without them. */
const CANCELLED_MAX = 512

/** Makes an empty binary heap. Cancelled events leave when their moment comes, or when they are more than half of all. */
export const createEventHeap = (): EventHeap => {
  let heap: WaitingEvent[] = []
  let cancelled = 0

  const push = (event: WaitingEvent): void => {
    let at = heap.length
    heap.push(event)
    while (at > 0) {
      const parent = (at - 1) >> 1
      const above = heap[parent]!
      if (!isBefore(event, above)) break
      heap[at] = above
      at = parent
    }
    heap[at] = event
  }

  const pop = (): void => {
    const last = heap.pop()!
    const size = heap.length
    if (size === 0) return
    let at = 0
    for (;;) {
      let child = 2 * at + 1
      if (child >= size) break
      if (child + 1 < size && isBefore(heap[child + 1]!, heap[child]!)) child += 1
      const below = heap[child]!
      if (!isBefore(below, last)) break
      heap[at] = below
      at = child
    }
    heap[at] = last
  }

  return {
    push,
    peek: () => {
      while (heap[0]?.task === null) {
        pop()
        cancelled -= 1
      }
      return heap[0]
    },
    pop,
    cancel: (event) => {
      if (event.task === null) return
      event.task = null
      cancelled += 1
      if (cancelled < CANCELLED_MAX || cancelled * 2 < heap.length) return
      // In order is a heap too.
      heap = heap.filter(({ task }) => task !== null).sort((a, b) => (isBefore(a, b) ? -1 : 1))
      cancelled = 0
    },
  }
}
