/**
 * `npm run verify -- --data-dir DIR`, or `--mongodb-url URL` for a platform of many processes: replays everything from genesis
 * and checks the books. The last line is a JSON report; exits 1 and names the first bad record when anything is wrong.
 */
import { Command } from 'commander'
import { createSystemClock } from '@bourse/common/adapters/system/clock.ts'
import { openData, openMongoData } from '../verification/open-data.ts'
import { verifyPlatform, type VerificationReport } from '../verification/verify.ts'

const { dataDir, mongodbUrl } = new Command('verify')
  .description('verifies the data of a stopped platform')
  .option('--data-dir <folder>', 'the data folder', process.env['BOURSE_DATA_DIR'] ?? '.bourse')
  .option(
    '--mongodb-url <url>',
    'the MongoDB of a platform of many processes, instead of a folder (default: BOURSE_MONGODB_URL, if that is set)',
  )
  .parse()
  .opts<{ dataDir: string; mongodbUrl?: string }>()

/** A folder that is named comes before the environment's URL. */
const urlOf = (): string | undefined =>
  mongodbUrl ?? (process.argv.includes('--data-dir') ? undefined : process.env['BOURSE_MONGODB_URL'])

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
  const clock = createSystemClock()
  const url = urlOf()
  const data = url === undefined || url === '' ? await openData(dataDir, clock) : await openMongoData(url, clock)
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
