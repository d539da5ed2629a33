import type { Server } from 'node:http'
import type { Socket } from 'node:net'

/** Connections at a time. */
export const CONTROL_CONNECTIONS_MAX = 64

/** Who is connected to the control interface. */
export interface ControlConnections {
  /** This connection brought the token: it does not give way to others any more. */
  trust(socket: Socket): void
}

/**
 * Bounds the connections of a server so that those without the token keep none of those with it out: at the bound the oldest
 * that never brought it gives way to the new one. With nothing but trusted ones the new one is cut.
 */
export const boundConnections = (server: Server): ControlConnections => {
  const open = new Set<Socket>()
  const strangers = new Set<Socket>()
  const forget = (socket: Socket): void => {
    open.delete(socket)
    strangers.delete(socket)
  }
  server.on('connection', (socket) => {
    if (open.size >= CONTROL_CONNECTIONS_MAX) {
      const [oldest] = strangers
      if (oldest === undefined) return void socket.destroy()
      forget(oldest)
      oldest.destroy()
    }
    open.add(socket)
    strangers.add(socket)
    socket.once('close', () => forget(socket))
  })
  return { trust: (socket) => void strangers.delete(socket) }
}
