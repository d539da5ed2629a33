/**
 * `npm run restore -- --from DIR --data-dir DIR`: puts a backup into a new data folder, checked and verified. Last
 * line: JSON.
 */
import { Command } from 'commander'
import { createSystemClock } from '@bourse/common/adapters/system/clock.ts'
import { restoreBackup } from '../backup/backup.ts'

const { from, dataDir } = new Command('restore')
  .description('puts a backup into a new data folder')
  .requiredOption('--from <folder>', 'the backup')
  .option('--data-dir <folder>', 'the data folder to make', process.env['BOURSE_DATA_DIR'] ?? '.bourse')
  .parse()
  .opts<{ from: string; dataDir: string }>()

try {
  const report = await restoreBackup(from, dataDir, createSystemClock())
  process.stdout.write(`${dataDir}: ${report.records} records of ${report.partitions.length} partitions, verified\n`)
  process.stdout.write(`${JSON.stringify(report)}\n`)
} catch (error) {
  process.stderr.write(`nothing was restored: ${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = 1
}
