import type { Sample } from '../../../row.ts'
import { closedLoop, type Lane } from './loops.ts'
import { startProgram, type Program } from './program.ts'
import { closeLanes, peerLanes, type Place } from './traders.ts'

/** Kept connections of every server that is compared. */
export const CONNECTIONS = 64

const WARM_UP_MS = 2_000
const SLICE_MS = 1_000
const ROUNDS = 3

interface Peer {
  readonly program: Program
  readonly lanes: readonly Lane[]
}

const startPeer = async (name: string, body: 'query' | 'trade', answer: string): Promise<Peer> => {
  const program = await startProgram({
    file: `load/bench/src/rows/wire/peers/${name}.ts`,
    env: { PEER_BODY: answer },
    ready: /ready on \d+\n/,
  })
  const place: Place = { host: '127.0.0.1', port: Number(/ready on (\d+)/.exec(program.said)?.[1]) }
  return { program, lanes: await peerLanes(place, CONNECTIONS, body) }
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length

/**
 * Requests per second of the platform's lanes and of the peers', by the same client with as many connections: after a
 * warm-up of each, slices of all in turn, so that a machine that slows down slows all of them.
 */
export const compareWithPeers = async (
  own: readonly Lane[],
  body: 'query' | 'trade',
  answer: string,
): Promise<Sample> => {
  const names = ['node-http', 'koa-echo']
  const peers = new Map<string, Peer>()
  try {
    for (const name of names) peers.set(name, await startPeer(name, body, answer))
    const all: [string, readonly Lane[]][] = [
      ['own', own],
      ...[...peers].map(([name, { lanes }]) => [name, lanes] as [string, readonly Lane[]]),
    ]
    for (const [, lanes] of all) await closedLoop(lanes, WARM_UP_MS)
    const rates = new Map(all.map(([name]) => [name, [] as number[]]))
    for (let round = 0; round < ROUNDS; round++)
      for (const [name, lanes] of all) rates.get(name)?.push(await closedLoop(lanes, SLICE_MS))
    const rate = (name: string): number => mean(rates.get(name) ?? [])
    return { value: rate('own'), peers: Object.fromEntries(names.map((name) => [name, rate(name)])) }
  } finally {
    for (const { lanes, program } of peers.values()) {
      closeLanes(lanes)
      await program.stop()
    }
  }
}
