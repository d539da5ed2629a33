import type { PartitionNumber } from '@bourse/common/kernel/partition.ts'
import type { Faults } from '../faults/faults.ts'
import type { FaultKind } from '../faults/kinds.ts'
import type { Ground } from '../ports/ground.ts'
import type { World } from '../world/world.ts'
import type { Flips } from './flips.ts'
import type { Node } from './node.ts'
import type { Operator } from './operator.ts'

/** Decides when processes die, stand still, move or lose their sense of time. */
export interface Director {
  start(): void
  /** Undoes what lasts: everything runs again, at the right time, with room on its disk. */
  heal(): void
}

/** What the director has in its hands. */
export interface DirectorDeps {
  readonly world: World
  readonly ground: Ground
  readonly faults: Faults
  readonly nodes: readonly Node[]
  readonly operator: Operator
  readonly partitions: readonly PartitionNumber[]
  readonly flips: Flips
  /** One process that is everything: its bus dies with it. */
  readonly isEmbedded: boolean
}

/** Between two decisions, ms. */
const PAUSE_MS = { least: 300, most: 6_000 }
/** How far any clock is off at most, ms. */
const OFF_MS_MAX = 480_000

/** Makes a director; it decides nothing before its start and nothing once the faults have ended. */
export const createDirector = (deps: DirectorDeps): Director => {
  const { world, ground, faults, nodes, operator, partitions } = deps
  const chance = world.chance('director')
  const serving = nodes.filter((node) => node.roles.serves)
  const isUp = (node: Node): boolean => node.life !== null && !node.isPaused
  const others = (node: Node): Node[] => serving.filter((other) => other !== node && isUp(other))

  const bootIn = (node: Node, delayMs: number): void =>
    void world.schedule(delayMs, `${node.name} starts`, () => {
      if (node.life !== null) return
      node.boot()
      operator.nudge()
    })

  /** Gives the partitions of a process that is away to others that are there. */
  const takeOver = (node: Node, lingersMs: number): void => {
    for (const partition of operator.partitionsOf(node)) {
      const able = others(node)
      if (able.length > 0) operator.assign(partition, chance.pick(able), lingersMs)
    }
  }

  const kill = (node: Node): void => {
    world.trace.note(`${world.nowMs()} ${node.name} dies`)
    const owned = operator.partitionsOf(node)
    node.kill()
    if (deps.isEmbedded) ground.busForgets()
    for (const partition of owned) if (faults.strikes('record-flipped')) deps.flips.flip(partition)
  }

  const crash = (candidates: readonly Node[]): boolean => {
    const alive = candidates.filter((node) => node.life !== null)
    if (alive.length === 0) return false
    const node = chance.pick(alive)
    kill(node)
    const downMs = chance.between(50, chance.pick([300, 3_000, 12_000]))
    if (node.roles.serves && chance.chance(50)) {
      world.schedule(chance.between(0, downMs), `${node.name} is missed`, () => {
        if (node.life === null) takeOver(node, 0)
      })
    }
    bootIn(node, downMs)
    return true
  }

  const powerCut = (): boolean => {
    for (const node of nodes) if (node.life !== null) kill(node)
    ground.busForgets()
    ground.tearAppends()
    const darkMs = chance.between(100, 5_000)
    for (const node of nodes) bootIn(node, darkMs + chance.between(0, 2_000))
    operator.nudge()
    return true
  }

  const pause = (candidates: readonly Node[], pausedMs: number): Node | null => {
    const able = candidates.filter(isUp)
    if (able.length === 0) return null
    const node = chance.pick(able)
    const { life } = node
    world.trace.note(`${world.nowMs()} ${node.name} stands still for ${pausedMs}`)
    node.pause()
    world.schedule(pausedMs, `${node.name} wakes up`, () => {
      if (node.life === life && node.isPaused) node.resume()
      operator.nudge()
    })
    return node
  }

  const zombie = (): boolean => {
    const pausedMs = chance.between(1_000, chance.pick([4_000, 40_000]))
    const node = serving.length < 2 ? null : pause(serving, pausedMs)
    if (node === null) return false
    const lingersMs = pausedMs + chance.between(0, 15_000)
    world.schedule(chance.between(100, pausedMs), `${node.name} is missed`, () => {
      if (node.isPaused) takeOver(node, lingersMs)
    })
    return true
  }

  const move = (): boolean => {
    const partition = chance.pick(partitions)
    const from = operator.ownerOf(partition)
    const able = others(from)
    if (able.length === 0) return false
    const to = chance.pick(able)
    world.trace.note(`${world.nowMs()} ${partition} moves from ${from.name} to ${to.name}`)
    if (chance.chance(50)) operator.move(partition, to)
    else operator.assign(partition, to, chance.between(0, 8_000))
    return true
  }

  const jump = (direction: -1 | 1): boolean => {
    const node = chance.pick(nodes)
    const sizeMs = chance.between(1, chance.pick([150, 3_000, 60_000, OFF_MS_MAX]))
    const wantedMs = Math.max(-OFF_MS_MAX, Math.min(OFF_MS_MAX, node.clockOffsetMs + direction * sizeMs))
    if (wantedMs === node.clockOffsetMs) return false
    world.trace.note(`${world.nowMs()} the clock of ${node.name} jumps by ${wantedMs - node.clockOffsetMs}`)
    node.jumpClock(wantedMs - node.clockOffsetMs)
    return true
  }

  const fillDisk = (): boolean => {
    ground.diskFull(true)
    world.schedule(chance.between(50, 12_000), 'the disk has room again', () => ground.diskFull(false))
    return true
  }

  const acts: Readonly<Partial<Record<FaultKind, () => boolean>>> = {
    crash: () => crash(nodes.filter((node) => node.roles.serves || node.roles.market)),
    'power-cut': powerCut,
    'edge-crash': () => crash(nodes.filter((node) => node.roles.edge && !node.roles.serves)),
    'views-crash': () => crash(nodes.filter((node) => node.roles.views && !node.roles.serves)),
    zombie,
    move,
    'slow-consumer': () => pause(nodes, chance.between(20, chance.pick([500, 8_000]))) !== null,
    'clock-back': () => jump(-1),
    'clock-ahead': () => jump(1),
    'bus-forgets': () => {
      ground.busForgets()
      return true
    },
    'disk-full': fillDisk,
    'snapshot-flipped': () => ground.damageSnapshot(chance.pick(partitions), 'flip'),
    'snapshot-lost': () => ground.damageSnapshot(chance.pick(partitions), 'lose'),
  }

  const decide = (): void => {
    if (faults.ended) return
    for (const [kind, act] of Object.entries(acts) as [FaultKind, () => boolean][]) if (faults.strikes(kind)) act()
    decideLater()
  }
  const decideLater = (): void =>
    void world.schedule(chance.between(PAUSE_MS.least, PAUSE_MS.most), 'the director decides', decide)

  return {
    start: () => {
      if (Object.keys(acts).some((kind) => faults.has(kind as FaultKind))) decideLater()
    },
    heal: () => {
      deps.flips.repairAll()
      ground.diskFull(false)
      for (const node of nodes) {
        if (node.clockOffsetMs !== 0) node.jumpClock(-node.clockOffsetMs)
        if (node.isPaused) node.resume()
        if (node.life === null) node.boot()
      }
      operator.nudge()
    },
  }
}
