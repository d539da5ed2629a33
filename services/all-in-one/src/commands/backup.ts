/**
 * `npm run backup -- --data-dir DIR --out DIR`: copies a running platform's data, consistent and verified. Last line:
 * JSON.
 */
import { Command } from 'commander'
import { createSystemClock } from '@bourse/common/adapters/system/clock.ts'
import { makeBackup } from '../backup/backup.ts'

const { dataDir, out } = new Command('backup')
  .description("copies a platform's data, running or not")
  .option('--data-dir <folder>', 'the data folder', process.env['BOURSE_DATA_DIR'] ?? '.bourse')
  .requiredOption('--out <folder>', 'a new folder for the backup')
  .parse()
  .opts<{ dataDir: string; out: string }>()

try {
  const report = await makeBackup(dataDir, out, createSystemClock())
  process.stdout.write(`${out}: ${report.records} records of ${report.partitions.length} partitions, verified\n`)
  process.stdout.write(`${JSON.stringify(report)}\n`)
} catch (error) {
  process.stderr.write(`no backup was made: ${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = 1
}
