/** The exports of the trading module: the batch door (`src/host/instance.ts` says what each promises), and `wouldTrigger`. */
export { init } from './state'
export { apply, refuse } from './apply'
export { query } from './queries'
export {
  continuationBytes, nextDeadline, restoreBegin, restoreEnd, snapshotParts, stateHashHigh, stateHashLow,
} from './snapshot'
export { wouldTrigger } from './triggers'
export {
  ioEffectsBytes as effectsBytes,
  ioEffectsPtr as effectsPtr,
  ioInputPtr as inputPtr,
  ioOutcomesBytes as outcomesBytes,
  ioOutcomesPtr as outcomesPtr,
} from '../shared/io'
