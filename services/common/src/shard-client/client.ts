import type { PartitionNumber } from '../kernel/partition.ts'
import type { Clock } from '../ports/clock.ts'
import type { ShownManifest, ShownShard } from './answers.ts'

/** How long a shard may take to answer an order, ms: a little longer than it waits for the order itself. */
export const ORDER_TIMEOUT_MS = 65_000

/** Why an order was not carried out; `code` is the control interface's (see `shard/control-answers.ts`). */
export interface OrderRefusal {
  readonly code: string
  readonly message: string
}

/** A shard did not answer, or not as it should: the order may have been carried out. */
export class ShardUnreachable extends Error {
  override readonly name = 'ShardUnreachable'
}

/**
 * Orders to shards, by the URL of their control interface. Each resolves once it is carried out (null, no refusals) or refused.
 * @throws {ShardUnreachable}
 */
export interface Orders {
  /** The full set of partitions that the shard is to serve. Resolves with what was refused; partition null: all of it was. */
  assign(
    url: string,
    epoch: number,
    partitions: readonly PartitionNumber[],
  ): Promise<readonly { readonly partition: PartitionNumber | null; readonly refusal: OrderRefusal }[]>
  prepare(url: string, partition: PartitionNumber, epoch: number): Promise<OrderRefusal | null>
  acquire(url: string, partition: PartitionNumber, epoch: number): Promise<OrderRefusal | null>
  release(url: string, partition: PartitionNumber, epoch: number): Promise<OrderRefusal | null>
  /** Stores a snapshot now, if there is anything new. */
  snapshot(url: string, partition: PartitionNumber, epoch: number): Promise<OrderRefusal | null>
  /** Hashes of the states that a shard serves. */
  stateHashes(url: string): Promise<ReadonlyMap<PartitionNumber, string>>
}

/** Orders, and questions about what they did. */
export interface ShardClient extends Orders {
  /** What the shard's partitions are. @throws {ShardUnreachable} */
  partitions(url: string): Promise<ShownShard>
  /** What became of the manifests at the shard. @throws {ShardUnreachable} */
  manifests(url: string): Promise<readonly ShownManifest[]>
}

interface Answer {
  readonly status: number
  readonly body: Readonly<Record<string, unknown>>
}

interface AssignedBody {
  readonly partitions: readonly { readonly number: PartitionNumber; readonly refusal: OrderRefusal | null }[]
}
interface StatesBody {
  readonly partitions: readonly { readonly number: PartitionNumber; readonly stateHash: string | null }[]
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

/** What a client of shards needs. */
export interface ShardClientDeps {
  readonly token: string
  readonly clock: Clock
  /**
   * Goes with every order: a shard that has seen a higher one refuses `STALE_FENCE`, so that a leader that was deposed moves
   * nothing. Without it orders carry none, and are not refused for it.
   */
  readonly fence?: () => number
}

/** Makes a client of the control interfaces of all shards that share a token. */
export const createShardClient = (deps: ShardClientDeps): ShardClient => {
  const fenced = <Body extends object>(body: Body): Body =>
    deps.fence === undefined ? body : { ...body, fence: deps.fence() }
  const ask = async (method: 'GET' | 'PUT' | 'POST', url: string, body?: unknown): Promise<Answer> => {
    const over = new AbortController()
    const answered = new AbortController()
    deps.clock.sleep(ORDER_TIMEOUT_MS, answered.signal).then(
      () => over.abort(new Error(`no answer within ${ORDER_TIMEOUT_MS} ms`)),
      () => undefined,
    )
    try {
      const response = await fetch(url, {
        method,
        signal: over.signal,
        headers: { authorization: `Bearer ${deps.token}`, 'content-type': 'application/json' },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      })
      return { status: response.status, body: (await response.json()) as Answer['body'] }
    } catch (error) {
      const cause = error instanceof Error && error.cause !== undefined ? ` (${messageOf(error.cause)})` : ''
      throw new ShardUnreachable(`${method} ${url}: ${messageOf(error)}${cause}`, { cause: error })
    } finally {
      answered.abort()
    }
  }
  const refusalOf = ({ status, body }: Answer): OrderRefusal | null => {
    if (status === 200) return null
    if (status === 202) throw new ShardUnreachable('the order takes longer; ask again')
    return { code: String(body['code']), message: String(body['message']) }
  }
  const order = (what: string) => async (url: string, partition: PartitionNumber, epoch: number) =>
    refusalOf(await ask('POST', `${url}/control/partitions/${partition}/${what}`, fenced({ epoch })))
  const read = async (url: string): Promise<Answer['body']> => {
    const answer = await ask('GET', url)
    const refusal = refusalOf(answer)
    if (refusal !== null) throw new ShardUnreachable(`${url}: ${refusal.code}: ${refusal.message}`)
    return answer.body
  }
  return {
    assign: async (url, epoch, partitions) => {
      const answer = await ask('PUT', `${url}/control/assignment`, fenced({ epoch, partitions }))
      const whole = refusalOf(answer)
      if (whole !== null) return [{ partition: null, refusal: whole }]
      return (answer.body as unknown as AssignedBody).partitions.flatMap(({ number, refusal }) =>
        refusal === null ? [] : [{ partition: number, refusal }],
      )
    },
    prepare: order('prepare'),
    acquire: order('acquire'),
    release: order('release'),
    snapshot: order('snapshot'),
    stateHashes: async (url) => {
      const body = await read(`${url}/control/partitions?stateHash=true`)
      const { partitions } = body as unknown as StatesBody
      return new Map(
        partitions.flatMap(({ number, stateHash }) => (stateHash === null ? [] : [[number, stateHash] as const])),
      )
    },
    partitions: async (url) => (await read(`${url}/control/partitions`)) as unknown as ShownShard,
    manifests: async (url) => {
      const body = await read(`${url}/control/manifests`)
      return (body as unknown as { readonly manifests: readonly ShownManifest[] }).manifests
    },
  }
}
