import { PortError, type FailureKind } from '@bourse/common/ports/failure.ts'

/** The other side's process, as `node:child_process` and `process` both offer it (`serialization: 'advanced'`). */
export interface Channel {
  send?(message: unknown, callback: (error: Error | null) => void): boolean
  on(event: 'message', listener: (message: unknown) => void): unknown
  on(event: 'disconnect', listener: () => void): unknown
}

/** What one side lets the other call, by name. */
export type Handlers = Readonly<Record<string, (...args: never[]) => Promise<unknown>>>

/** Calls of the other process. A call fails `unavailable` when that process is gone: it may have been done. */
export interface Peer {
  call<Value>(method: string, ...args: readonly unknown[]): Promise<Value>
}

type Message =
  | { readonly what: 'call'; readonly id: number; readonly method: string; readonly args: readonly unknown[] }
  | { readonly what: 'value'; readonly id: number; readonly value: unknown }
  | { readonly what: 'error'; readonly id: number; readonly kind: FailureKind | null; readonly message: string }

interface Waiting {
  readonly resolve: (value: unknown) => void
  readonly reject: (error: Error) => void
}

/** Makes both ends of a channel: it answers with `handlers` and calls the other's. */
export const createPeer = (channel: Channel, handlers: Handlers): Peer => {
  const waiting = new Map<number, Waiting>()
  let calls = 0
  let isGone = false
  const gone = (): PortError => new PortError('unavailable', 'the other process is gone')

  const post = (message: Message): void => {
    if (isGone || channel.send === undefined) return
    // A process that is gone is heard of by `disconnect`.
    channel.send(message, () => undefined)
  }
  const answer = async (id: number, method: string, args: readonly unknown[]): Promise<void> => {
    try {
      const handler = handlers[method]
      if (handler === undefined) throw new Error(`nobody answers to '${method}'`)
      post({ what: 'value', id, value: await handler(...(args as never[])) })
    } catch (error) {
      const kind = error instanceof PortError ? error.kind : null
      post({ what: 'error', id, kind, message: error instanceof Error ? error.message : String(error) })
    }
  }
  channel.on('message', (raw) => {
    const message = raw as Message
    if (message.what === 'call') {
      void answer(message.id, message.method, message.args)
      return
    }
    const asker = waiting.get(message.id)
    waiting.delete(message.id)
    if (message.what === 'value') asker?.resolve(message.value)
    else
      asker?.reject(message.kind === null ? new Error(message.message) : new PortError(message.kind, message.message))
  })
  channel.on('disconnect', () => {
    isGone = true
    for (const { reject } of waiting.values()) reject(gone())
    waiting.clear()
  })
  return {
    call: (method, ...args) =>
      new Promise((resolve, reject) => {
        if (isGone) {
          reject(gone())
          return
        }
        const id = (calls += 1)
        waiting.set(id, { resolve: resolve as (value: unknown) => void, reject })
        post({ what: 'call', id, method, args })
      }),
  }
}
