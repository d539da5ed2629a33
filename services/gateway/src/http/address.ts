import type { IncomingMessage } from 'node:http'
import ipaddr from 'ipaddr.js'

/** Peers whose spelling is kept; at the bound all are read anew. */
const PEERS_KEPT_MAX = 10_000

type Address = ReturnType<typeof ipaddr.process>
type Range = readonly [Address, number]

/** Whether an address lies in one of some ranges. */
export type AddressSet = (address: string) => boolean

const parsed = (text: string): Address | null => (ipaddr.isValid(text) ? ipaddr.process(text) : null)

const rangeOf = (cidr: string): Range => {
  const [address, bits] = ipaddr.parseCIDR(cidr.includes('/') ? cidr : `${cidr}/${cidr.includes(':') ? 128 : 32}`)
  return [address, bits]
}

/** The set of some CIDR ranges; a plain address is a range of one. @throws when a text is no range */
export const addressSetOf = (cidrs: readonly string[]): AddressSet => {
  const ranges = cidrs.map(rangeOf)
  return (text) => {
    const address = parsed(text)
    return (
      address !== null &&
      ranges.some(([network, bits]) => network.kind() === address.kind() && address.match(network, bits))
    )
  }
}

/**
 * The client's address: the peer's, or, behind trusted proxies, the last hop of `x-forwarded-for` that is none of them. IPv4 in
 * IPv6 is written as IPv4, so that one client has one name.
 */
export const clientAddressOf = (trusted: AddressSet): ((request: IncomingMessage) => string) => {
  const peers = new Map<string, { readonly peer: string; readonly isTrusted: boolean }>()
  /** The peer in its one spelling; a connection asks with every request, so what was read is kept. */
  const peerOf = (text: string): { readonly peer: string; readonly isTrusted: boolean } => {
    const known = peers.get(text)
    if (known !== undefined) return known
    const peer = parsed(text)?.toString() ?? 'unknown'
    const read = { peer, isTrusted: trusted(peer) }
    if (peers.size >= PEERS_KEPT_MAX) peers.clear()
    peers.set(text, read)
    return read
  }
  return (request) => {
    const { peer, isTrusted } = peerOf(request.socket.remoteAddress ?? '')
    if (!isTrusted) return peer
    const header = request.headers['x-forwarded-for']
    const hops = (Array.isArray(header) ? header.join(',') : (header ?? ''))
      .split(',')
      .map((hop) => parsed(hop.trim())?.toString())
    for (const hop of hops.reverse()) {
      if (hop === undefined) return peer
      if (!trusted(hop)) return hop
    }
    return peer
  }
}
