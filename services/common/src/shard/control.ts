import type Router from '@koa/router'
import { Ajv, type ValidateFunction } from 'ajv'
import type { Context } from 'koa'
import type { Logger } from 'pino'
import type { Secret } from '../config/secret.ts'
import type { Topology } from '../platform/topology.ts'
import type { Clock } from '../ports/clock.ts'
import type { LogLevels } from '../telemetry/log-levels.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import {
  ControlError,
  createFenceCheck,
  createPartitionFinder,
  readControlBody,
  shownPartition,
} from './control-answers.ts'
import { openControlDoor } from './control-door.ts'
import { routeHealth } from './control-health.ts'
import { routeLogLevel } from './control-log-level.ts'
import { routeProfiles } from './control-profile.ts'
import type { Shard } from './shard.ts'
import { EPOCH_MAX, SHARD_PARTITIONS_MAX, type ManifestState, type ShardPartition, type ShardResult } from './types.ts'

/** How long an order is waited for before it is answered 202: it goes on all the same, ms. */
export const ORDER_WAIT_MS_MAX = 60_000

/** A control interface that listens. */
export interface ShardControl {
  /** `http://host:port` */
  readonly url: string
  /** Repeatable. */
  stop(): Promise<void>
}

/** What the control interface needs. */
export interface ControlDeps {
  readonly shard: Shard<never>
  readonly topology: Topology
  /** What became of the manifests here. */
  readonly manifests: () => readonly ManifestState[]
  /**
   * Ready even where a partition is not as it should be, which is told all the same: for an operator that looks after each
   * partition, and takes all of them from a shard that is not ready. Restoring one must not cost the others.
   */
  readonly isReadyWithReasons?: boolean
  /** Bearer token of everything under /control. */
  readonly token: Secret
  readonly host: string
  /** 0 = any free port. */
  readonly port: number
  readonly metrics: Pick<Metrics, 'expose'>
  /** The level of everything that the process logs. */
  readonly levels: LogLevels
  readonly clock: Clock
  readonly logger: Logger
}

const epochSchema = { type: 'integer', minimum: 1, maximum: EPOCH_MAX } as const
const fenceSchema = { type: 'integer', minimum: 0, maximum: Number.MAX_SAFE_INTEGER } as const
const orderSchema = {
  type: 'object',
  properties: { epoch: epochSchema, fence: fenceSchema },
  required: ['epoch'],
  additionalProperties: false,
} as const
const assignmentSchema = {
  type: 'object',
  properties: {
    epoch: epochSchema,
    fence: fenceSchema,
    partitions: {
      type: 'array',
      maxItems: SHARD_PARTITIONS_MAX,
      items: { type: ['string', 'integer'], maxLength: 64 },
    },
  },
  required: ['epoch', 'partitions'],
  additionalProperties: false,
} as const
const questionSchema = {
  type: 'object',
  properties: { stateHash: { enum: ['true', 'false'] } },
  additionalProperties: false,
} as const
interface OrderBody {
  readonly epoch: number
  readonly fence?: number
}
interface AssignmentBody extends OrderBody {
  readonly partitions: readonly (string | number)[]
}

/** Names of partitions have slashes in them. */
const ORDER_PATH = /^\/control\/partitions\/(.+)\/(prepare|acquire|release|snapshot)$/

/** A part of a path; what is encoded wrongly stays as it is, and is no partition's name. */
const decoded = (text: string): string => {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

const checked = <Value>(validate: ValidateFunction<Value>, value: unknown, where: string): Value => {
  if (validate(value)) return value
  const [fault] = validate.errors ?? []
  throw new ControlError('INVALID_REQUEST', `${where}${fault?.instancePath ?? ''} ${fault?.message ?? 'is wrong'}`)
}

const routeControl = (router: Router, deps: ControlDeps): void => {
  const { shard, topology, clock } = deps
  const partitionOf = createPartitionFinder(topology)
  const ajv = new Ajv({ strict: true, allowUnionTypes: true })
  const validateOrder = ajv.compile<OrderBody>(orderSchema)
  const validateAssignment = ajv.compile<AssignmentBody>(assignmentSchema)
  const validateQuestion = ajv.compile<{ readonly stateHash?: 'true' | 'false' }>(questionSchema)
  const checkFence = createFenceCheck()
  const shown = (one: ShardPartition, stateHash?: string | null) =>
    shownPartition({ topology, nowMs: clock.nowMs() }, one, stateHash)

  /** Waits for an order, and answers it; one that takes longer goes on, and its state tells how far it is. */
  const answer = async <Value>(
    context: Context,
    order: Promise<ShardResult<Value>>,
    show: (value: Value) => unknown,
  ): Promise<void> => {
    const waited = new AbortController()
    const late = clock.sleep(ORDER_WAIT_MS_MAX, waited.signal).then(
      () => null,
      () => null,
    )
    const result = await Promise.race([order, late]).finally(() => waited.abort())
    if (result === null) {
      context.status = 202
      context.body = { message: 'it takes longer; GET /control/partitions tells how far it is' }
      return
    }
    if (!result.ok) throw new ControlError(result.refusal.code, result.refusal.message)
    context.body = show(result.value)
  }

  router.get('/control/partitions', async (context) => {
    const { stateHash = 'false' } = checked(validateQuestion, { ...context.query }, 'query')
    const hashes = stateHash === 'true' ? await shard.stateHashes() : null
    context.body = {
      shard: shard.name,
      machine: shard.machine,
      epoch: shard.epoch,
      partitions: shard
        .status()
        .map((one) => shown(one, hashes === null ? undefined : (hashes.get(one.partition) ?? null))),
    }
  })
  router.get('/control/manifests', (context) => {
    context.body = { shard: shard.name, manifests: deps.manifests() }
  })

  router.put('/control/assignment', async (context) => {
    const { epoch, partitions, fence } = checked(validateAssignment, await readControlBody(context.req), 'body')
    checkFence(fence)
    await answer(context, shard.assign(epoch, partitions.map(partitionOf)), (assigned) => {
      const refusals = new Map(assigned.map(({ partition, refusal }) => [partition, refusal]))
      return {
        shard: shard.name,
        epoch,
        complete: assigned.every(({ refusal }) => refusal === null),
        partitions: shard
          .status()
          .filter(({ partition }) => refusals.has(partition))
          .map((one) => ({ ...shown(one), refusal: refusals.get(one.partition) ?? null })),
      }
    })
  })

  const orders = { ...shard, snapshot: shard.snapshotNow }
  router.post(ORDER_PATH, async (context) => {
    const [, name = '', what = ''] = ORDER_PATH.exec(context.path) ?? []
    const partition = partitionOf(decoded(name))
    const { epoch, fence } = checked(validateOrder, await readControlBody(context.req), 'body')
    checkFence(fence)
    const order = orders[what as 'prepare' | 'acquire' | 'release' | 'snapshot']
    await answer(context, order(partition, epoch), shown)
  })
}

/**
 * Starts a shard's door: health and metrics for anybody, orders for who has the token.
 * @throws when the port can't be had, and on a token that is too short
 */
export const startShardControl = (deps: ControlDeps): Promise<ShardControl> =>
  openControlDoor({ ...deps, page: 'docs/operations/shards.md' }, (router) => {
    routeHealth(router, deps)
    routeControl(router, deps)
    routeLogLevel(router, deps)
    routeProfiles(router, deps)
  })
