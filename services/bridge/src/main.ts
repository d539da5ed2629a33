/** Runs a bridge shard alone. See `docs/configuration.md`. */
import { runProgram } from '@bourse/common/process/run.ts'
import { startBridgeShard } from './shard.ts'

await runProgram({ program: 'bridge', name: 'bridge', title: 'The bridge shard', start: startBridgeShard })
