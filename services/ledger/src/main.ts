/** Runs a ledger shard alone. See `docs/configuration.md`. */
import { runProgram } from '@bourse/common/process/run.ts'
import { startLedgerShard } from './shard.ts'

await runProgram({ program: 'ledger', name: 'ledger', title: 'The ledger shard', start: startLedgerShard })
