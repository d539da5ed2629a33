/**
 * `npm run verify -- --data-dir DIR`: replays everything from genesis and checks the books. The last line is a JSON
 * report; exits 1 and
 * names the first bad record when anything is wrong.
 */
import { Command } from 'commander'
import { createSystemClock } from '@bourse/common/adapters/system/clock.ts'
import { openData } from '../verification/open-data.ts'
import { verifyPlatform, type VerificationReport } from '../verification/verify.ts'

const { dataDir } = new Command('verify')
  .description('verifies the data of a stopped platform')
  .option('--data-dir <folder>', 'the data folder', process.env['BOURSE_DATA_DIR'] ?? '.bourse')
  .parse()
  .opts<{ dataDir: string }>()

const print = (report: VerificationReport): void => {
  for (const { partition, records, snapshots, stateHash } of report.partitions) {
    const counts = `${String(records).padStart(9)} records ${String(snapshots).padStart(3)} snapshots`
    process.stdout.write(`${partition.padEnd(20)} ${counts}  ${stateHash ?? 'BROKEN'}\n`)
  }
  for (const fault of report.faults) {
    process.stdout.write(
      `FAULT ${fault.what} ${fault.partition}${fault.sequence === null ? '' : ` at ${fault.sequence}`}: ${fault.message}\n`,
    )
  }
  process.stdout.write(`${JSON.stringify(report)}\n`)
}

const verify = async (): Promise<boolean> => {
  const data = await openData(dataDir, createSystemClock())
  try {
    const report = await verifyPlatform(data)
    print(report)
    return report.ok
  } finally {
    await data.close()
  }
}

try {
  process.exitCode = (await verify()) ? 0 : 1
} catch (error) {
  const message = error instanceof Error ? error.message : String(error)
  process.stdout.write(`${JSON.stringify({ ok: false, faults: [{ what: 'data', message }] })}\n`)
  process.exitCode = 1
}
