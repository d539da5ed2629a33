/** Runs a gateway alone. See `docs/configuration.md`. */
import { runProgram } from '@bourse/common/process/run.ts'
import { startGatewayProcess } from './process.ts'

await runProgram({ program: 'gateway', name: 'gateway', title: 'The gateway', start: startGatewayProcess })
