import { createHash, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { partitionName, type PartitionNumber } from '../kernel/partition.ts'
import { allPartitions, partitionTitle, type Topology } from '../platform/topology.ts'
import type { ShardPartition, ShardRefusalCode } from './types.ts'

/** Largest body, bytes: an assignment of as many partitions as a shard may have. */
export const CONTROL_BODY_BYTES_MAX = 65_536
/** Of a larger body this many limits are read and thrown away, so that its sender gets to see the refusal; then it is cut. */
const DISCARDED_LIMITS_MAX = 16

/** Every code that the control interface refuses with, and its HTTP status. */
export const controlStatusOf = {
  STALE_EPOCH: 409,
  STALE_FENCE: 409,
  EPOCH_REUSED: 409,
  WRONG_MACHINE: 409,
  NOT_SERVED: 409,
  PROFILE_RUNNING: 409,
  PREPARE_FAILED: 503,
  ACQUIRE_FAILED: 503,
  SNAPSHOT_FAILED: 503,
  OVERLOADED: 503,
  STOPPING: 503,
  UNAUTHENTICATED: 401,
  UNKNOWN_PARTITION: 404,
  NOT_FOUND: 404,
  METHOD_NOT_ALLOWED: 405,
  INVALID_REQUEST: 400,
  PAYLOAD_TOO_LARGE: 413,
  INTERNAL_ERROR: 500,
} as const satisfies Record<ShardRefusalCode, number> & Record<string, number>
/** One of the codes. */
export type ControlCode = keyof typeof controlStatusOf

/** A request that is refused; the message says what is wrong and what to do about it. */
export class ControlError extends Error {
  override readonly name = 'ControlError'
  readonly code: ControlCode
  constructor(code: ControlCode, message: string) {
    super(message)
    this.code = code
  }
}

/** Reads a JSON body, whatever type it says it is of. @throws {ControlError} */
export const readControlBody = async (request: IncomingMessage): Promise<unknown> => {
  const chunks: Buffer[] = []
  let bytes = 0
  // Leaving the loop early must not destroy the request: the refusal goes out on the same socket.
  for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes > DISCARDED_LIMITS_MAX * CONTROL_BODY_BYTES_MAX) break
    if (bytes <= CONTROL_BODY_BYTES_MAX) chunks.push(chunk)
  }
  if (bytes > CONTROL_BODY_BYTES_MAX)
    throw new ControlError('PAYLOAD_TOO_LARGE', `the body has more than ${CONTROL_BODY_BYTES_MAX} bytes; send less`)
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks))) as unknown
  } catch {
    throw new ControlError('INVALID_REQUEST', 'the body is not JSON; send an object such as {"epoch": 7}')
  }
}

/** Most characters of the token; what is longer is not even compared. */
export const CONTROL_TOKEN_LENGTH_MAX = 512

const sha256 = (text: string): Buffer => createHash('sha256').update(text, 'utf8').digest()

/** Tells whether an `authorization` header brings the token; takes the same time whatever was sent. */
export const createTokenCheck = (token: string): ((header: string) => boolean) => {
  const expected = sha256(token)
  const pattern = new RegExp(`^Bearer (.{1,${CONTROL_TOKEN_LENGTH_MAX}})$`)
  return (header) => {
    const [, given = ''] = pattern.exec(header) ?? []
    return timingSafeEqual(sha256(given), expected)
  }
}

/** Finds a partition by what people write: `ledger/3`, `trading/BTC_USDC/0`, or its number. @throws {ControlError} */
export const createPartitionFinder = (topology: Topology): ((text: string | number) => PartitionNumber) => {
  const known = new Map<string, PartitionNumber>()
  let marketsKnown = -1
  const learn = (): void => {
    for (const partition of allPartitions(topology)) {
      for (const text of [String(partition), partitionName(partition), partitionTitle(topology, partition)])
        known.set(text, partition)
    }
    marketsKnown = topology.markets.size
  }
  return (text) => {
    // Markets come while the shard runs; none ever goes.
    if (topology.markets.size !== marketsKnown) learn()
    const found = known.get(String(text))
    if (found !== undefined) return found
    const remedy = 'name one as ledger/0, trading/BTC_USDC/0 or by its number'
    throw new ControlError('UNKNOWN_PARTITION', `'${text}' is no partition of this platform; ${remedy}`)
  }
}

/**
 * Remembers the highest fence that an order carried. One without a fence comes from nobody who could be deposed, and passes.
 * @throws {ControlError} `STALE_FENCE` on a lower one
 */
export const createFenceCheck = (): ((fence: number | undefined) => void) => {
  let highest = 0
  return (fence = highest) => {
    if (fence < highest) {
      const message = `fence ${highest} was seen already, ${fence} is a deposed leader's; leave orders to the present one`
      throw new ControlError('STALE_FENCE', message)
    }
    highest = fence
  }
}

/** A partition as the control interface shows it; sequences are text, for they may be larger than JSON's numbers. */
export const shownPartition = (
  { topology, nowMs }: { readonly topology: Topology; readonly nowMs: number },
  one: ShardPartition,
  stateHash?: string | null,
) => ({
  partition: partitionTitle(topology, one.partition),
  number: one.partition,
  state: one.state,
  ready: one.state === 'serving',
  reason: one.reason,
  epoch: one.epoch,
  sequence: String(one.sequence),
  snapshotSequence: one.snapshotSequence === null ? null : String(one.snapshotSequence),
  viewSequence: String(one.viewSequence),
  viewsAsOfMs: one.viewsAsOfMs,
  lagMs: one.viewsAsOfMs === 0 ? null : Math.max(nowMs - one.viewsAsOfMs, 0),
  waitingCommands: one.runner?.waiting ?? 0,
  unconfirmedEffects: one.runner?.unconfirmedEffects ?? 0,
  ...(stateHash === undefined ? {} : { stateHash }),
})
