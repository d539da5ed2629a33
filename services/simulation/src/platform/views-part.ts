import type { Logger } from 'pino'
import { createFolds, PROJECTION } from '@bourse/all-in-one/platform/projections.ts'
import { allPartitions, type Topology } from '@bourse/common/platform/topology.ts'
import { startProjector, type Projector } from '@bourse/common/views/projector.ts'
import type { Door } from '../ports/ground.ts'

/** The projector of a process; null until it has started. */
export interface ViewsPart {
  projector(): Projector | null
}

/** Starts projecting every partition; `onFailed` hears when that could not begin (the process then ends). */
export const createViewsPart = (deps: {
  readonly door: Door
  readonly topology: Topology
  readonly logger: Logger
  readonly onFailed: (error: unknown) => void
}): ViewsPart => {
  const { door, topology } = deps
  let started: Projector | null = null
  startProjector({
    projection: PROJECTION,
    partitions: allPartitions(topology),
    foldOf: createFolds(topology, door.views),
    events: door.events,
    views: door.views,
    clock: door.clock,
    logger: deps.logger,
  }).then((projector) => {
    started = projector
  }, deps.onFailed)
  return { projector: () => started }
}
