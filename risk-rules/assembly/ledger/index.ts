/** The exports of the ledger's module: the batch door (`src/host/instance.ts` says what each promises). */
export { init } from './state'
export { apply, refuse } from './apply'
export { query } from './queries'
export { restoreBegin, restoreEnd, snapshotParts, stateHashHigh, stateHashLow } from './snapshot'
export { continuationBytes, nextDeadline } from './deadlines'
export {
  ioEffectsBytes as effectsBytes,
  ioEffectsPtr as effectsPtr,
  ioInputPtr as inputPtr,
  ioOutcomesBytes as outcomesBytes,
  ioOutcomesPtr as outcomesPtr,
} from '../shared/io'
