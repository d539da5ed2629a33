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
  /** Events held, cancelled ones included. */
  readonly size: number
}

const isBefore = (a: WaitingEvent, b: WaitingEvent): boolean =>
  a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order)

/** Makes an empty binary heap. Cancelled events leave when their moment comes. */
export const createEventHeap = (): EventHeap => {
  const heap: WaitingEvent[] = []

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
      while (heap[0]?.task === null) pop()
      return heap[0]
    },
    pop,
    get size() {
      return heap.length
    },
  }
}
