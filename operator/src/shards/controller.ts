import type { Logger } from 'pino'
import type { Clock } from '@bourse/common/ports/clock.ts'
import type { Views } from '@bourse/common/ports/views.ts'
import type { ShardClient } from '@bourse/common/shard-client/client.ts'
import { createEpochs } from '@bourse/common/shard-client/epochs.ts'
import type { Metrics } from '@bourse/common/telemetry/metrics.ts'
import { podKind, statefulSetKind } from '../runtime/kinds.ts'
import type { ControllerSpec, KubeObject, Manager, ReconcileContext, ReconcileResult } from '../runtime/types.ts'
import { createActor, type Actor } from './act.ts'
import { decide } from './decide.ts'
import type { Fence } from './fence.ts'
import { GROUP_CONTROLLER, GROUP_LABEL, type GroupDefinition, type Groups } from './groups.ts'
import { createGroupMetrics } from './metrics.ts'
import { createObserver, createSaidReader, saidBy, setOfGroup, type GroupSeen } from './observe.ts'
import { noMemory, type Memory, type Observation } from './types.ts'

/** How often a group is looked at, ms. */
export const LOOK_INTERVAL_MS = 1_000
/**
 * A new leader's epochs begin so far above those that were heard of: orders of the one before that are still on their way come
 * under lower ones.
 */
export const LEADER_EPOCH_STEP = 1_000

/** The controller of groups. */
export interface GroupController {
  readonly spec: ControllerSpec
  /** Above everything that shards have been told. */
  readonly nextEpoch: () => number
  /** Resolves when no order to a shard is under way. */
  idle(): Promise<void>
}

/** What the controller needs. */
export interface GroupControllerDeps {
  readonly manager: Pick<Manager, 'client' | 'recorder' | 'store' | 'enqueue'>
  readonly groups: Groups
  /** Goes with every order of `shards`. */
  readonly fence: Fence
  readonly shards: ShardClient
  readonly views: Pick<Views, 'find'>
  /** Whether a node takes no new pods; false where nodes can't be read. */
  readonly isCordoned: (node: string) => boolean
  readonly metrics: Metrics
  readonly clock: Clock
  readonly logger: Logger
}

interface GroupState {
  memory: Memory
  readonly actor: Actor
}

const groupsOf = (object: KubeObject): readonly string[] => {
  const own = object.metadata.labels?.[GROUP_LABEL]
  return own === undefined ? [] : [own]
}

/** Rising epochs above all that was heard of. */
const createKnownEpochs = () => {
  const epochs = createEpochs([])
  let highest = 0
  let isKnown = false
  const hear = (heard: readonly { readonly epoch: number }[]): void => {
    epochs.raise(heard)
    highest = heard.reduce((most, { epoch }) => Math.max(most, epoch), highest)
  }
  return {
    hear,
    /** Called once everything that could have a higher epoch was heard. */
    know: (): void => {
      if (!isKnown) hear([{ epoch: highest + LEADER_EPOCH_STEP }])
      isKnown = true
    },
    get isKnown() {
      return isKnown
    },
    next: (): number => (highest = epochs.next()),
    highest: (): number => highest,
  }
}

/** What is under way. */
type Busy = Pick<Observation, 'moving' | 'ordered'>
const busyOf = ({ moving, ordered }: Actor): Busy => ({ moving, ordered: new Set(ordered) })

/** What ended while the group was looked at counts as under way still: the answers may be from before. */
const observationOf = (definition: GroupDefinition, seen: GroupSeen, before: Busy, now: Busy): Observation => ({
  partitions: definition.partitions,
  pods: seen.pods,
  replicas: seen.set?.spec?.replicas ?? null,
  wanted: definition.wanted,
  isEnding: definition.isEnding,
  said: seen.states === null ? null : saidBy(seen.states),
  moving: [
    ...now.moving,
    ...before.moving.filter(({ partition }) => now.moving.every((one) => one.partition !== partition)),
  ],
  ordered: new Set([...before.ordered, ...now.ordered]),
})

/** Makes the controller: looks at each group once a second and on every change of its pods, decides, and has it carried out. */
export const createGroupController = (deps: GroupControllerDeps): GroupController => {
  const { manager, groups, fence, shards, clock, logger } = deps
  const { client, recorder } = manager
  const epochs = createKnownEpochs()
  const metrics = createGroupMetrics(deps.metrics, epochs.highest)
  const states = new Map<string, GroupState>()
  const sets = manager.store(statefulSetKind)
  const pods = manager.store(podKind, { labelSelector: GROUP_LABEL })
  const readSaid = createSaidReader({ views: deps.views, clock, logger })
  const observe = createObserver({
    pods,
    sets,
    shards,
    readSaid,
    clock,
    isCordoned: deps.isCordoned,
  })

  const stateOf = (group: string): GroupState => {
    const known = states.get(group)
    if (known !== undefined) return known
    const actor = createActor({
      orders: shards,
      nextEpoch: epochs.next,
      client,
      recorder,
      metrics,
      clock,
      logger: logger.child({ group }),
      onEnd: () => manager.enqueue(GROUP_CONTROLLER, group),
      onScale: groups.setReplicas,
    })
    const made = { memory: noMemory, actor }
    states.set(group, made)
    return made
  }

  /** Hears of all epochs there are; false while some may be unheard, and so none higher can be given. */
  const hearEpochs = (seen: GroupSeen): boolean => {
    epochs.hear(seen.pods.flatMap(({ answer }) => answer ?? []))
    if (seen.states !== null) {
      epochs.hear(seen.states)
      epochs.know()
    }
    return epochs.isKnown
  }

  const look = async (definition: GroupDefinition, { signal }: ReconcileContext): Promise<void> => {
    const { name } = definition
    const state = stateOf(name)
    const beganAtMs = clock.monotonicMs()
    const before = busyOf(state.actor)
    const seen = await observe(name)
    const canOrder = hearEpochs(seen)
    if (signal.aborted) return
    const observation = observationOf(definition, seen, before, busyOf(state.actor))
    const decision = decide(observation, state.memory, clock.monotonicMs())
    const { unserved, pending } = decision
    metrics.unserved(name, definition.isEnding ? 0 : unserved.length)
    groups.see(name, { pods: seen.pods, shown: seen.shown, unserved, pending, seenAtMs: beganAtMs })
    if (!canOrder) return
    state.memory = decision.memory
    const waitedFor = seen.pods.filter(({ uid }) => !state.memory.failed.has(uid))
    state.actor.attend(new Set(waitedFor.flatMap(({ url }) => url ?? [])))
    const about = definition.about ?? seen.set
    for (const { type, reason, note } of decision.happenings) {
      logger.info({ group: name, reason }, note)
      if (about !== null) recorder.event(about, { type, reason, action: 'Observe', note })
    }
    for (const action of decision.actions) {
      if (signal.aborted) return
      state.actor.act(action, { group: name, pods: seen.pods, set: seen.set, about })
    }
  }

  const forget = (group: string): ReconcileResult => {
    const actor = states.get(group)?.actor
    // What is under way is still to be waited for when the operator ends.
    if (actor === undefined || actor.moving.length > 0 || actor.ordered.size > 0) return {}
    states.delete(group)
    metrics.unserved(group, 0)
    return {}
  }

  return {
    spec: {
      name: GROUP_CONTROLLER,
      watches: [
        { kind: podKind, labelSelector: GROUP_LABEL, keysOf: groupsOf },
        { kind: statefulSetKind, keysOf: (object) => groupsOf(object) },
      ],
      workers: 8,
      reconcile: async (group, context) => {
        fence.raise(context.fence)
        const definition = groups.definition(group)
        if (definition !== undefined) await look(definition, context)
        else if (pods.list().every((pod) => !groupsOf(pod).includes(group)) && setOfGroup(sets.list(), group) === null)
          return forget(group) // Nothing is left of it; a new pod brings it back.
        return { requeueAfterMs: LOOK_INTERVAL_MS }
      },
    },
    nextEpoch: epochs.next,
    idle: async () => {
      for (const { actor } of states.values()) await actor.idle()
    },
  }
}
