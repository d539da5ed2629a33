/** Runs the market alone: price feeds to Redis. See `docs/configuration.md`. */
import { runProgram } from '@bourse/common/process/run.ts'
import { startMarketProcess } from './process.ts'

await runProgram({ program: 'market', name: 'market', title: 'The market', start: startMarketProcess })
