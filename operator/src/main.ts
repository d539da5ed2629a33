/** Runs the operator. See `docs/operations/`. */
import { runProgram } from '@bourse/common/process/run.ts'
import { createOperator } from './operator.ts'

const startOperator = createOperator({
  // Without the lease another one leads: what this process still has in hand must end with it.
  onOver: (code) => process.exit(code),
})

await runProgram({ program: 'operator', name: 'operator', title: 'The operator', start: startOperator })
