/** Runs a trading shard alone. See `docs/configuration.md`. */
import { runProgram } from '@bourse/common/process/run.ts'
import { startTradingShard } from './shard.ts'

await runProgram({ program: 'trading', name: 'trading', title: 'The trading shard', start: startTradingShard })
