/**
 * `npm run gameday`: starts the platform with Prometheus and Alertmanager, makes each failure mode real, one after the other, and
 * shows which alert told it, after how long, that no unrelated page came, and that it cleared. The last line is JSON; exits 1
 * when a drill fails, or at SIGINT and SIGTERM, after it has healed and stopped everything.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Command, InvalidArgumentError } from 'commander'
import { alertmanagerMissing } from '../servers/alertmanager.ts'
import { watchedPlatformMissing } from '../servers/watched-platform.ts'
import type { ModeResult, UndrilledMode } from '../gameday/mode.ts'
import { markdownOf, tableOf, totalsOf, verdictOf } from '../gameday/report.ts'
import { runSuites, SUITES } from '../gameday/suites.ts'
import { UNDRILLED } from '../gameday/undrilled.ts'

/** Windows of hours become minutes; two scrapes still fit into the shortest. */
const TIME_SCALE_DEFAULT = 30
const TIME_SCALE_MAX = 60

interface Settings {
  readonly only?: readonly string[]
  readonly timeScale: number
  readonly json: boolean
  readonly list: boolean
  readonly markdown?: string
}

const scale = (text: string): number => {
  const value = Number(text)
  if (!(value >= 1 && value <= TIME_SCALE_MAX))
    throw new InvalidArgumentError(`It is a number from 1 to ${TIME_SCALE_MAX}.`)
  return value
}

const settings = new Command('gameday')
  .description('injects each failure mode and shows which alert tells it')
  .option('--only <names...>', 'these modes only')
  .option(
    '--time-scale <factor>',
    'divides all windows and waits of the rules; 1 runs the true ones',
    scale,
    TIME_SCALE_DEFAULT,
  )
  .option('--json', 'results as JSON, a line each', false)
  .option('--list', 'the names of the modes', false)
  .option('--markdown <file>', 'writes the table as markdown, too')
  .parse()
  .opts<Settings>()

const print = (text: string): void => void process.stdout.write(`${text}\n`)

const shown = (result: ModeResult): string => {
  const { name, firedAfterSeconds, clearedAfterSeconds, others } = result
  const fired = Object.entries(firedAfterSeconds).map(([alert, after]) => `${alert} after ${after ?? 'never'} s`)
  const cleared = `cleared after ${clearedAfterSeconds ?? 'never'} s`
  return [`${name}: ${fired.join(', ')}`, cleared, `also ${others.join(', ') || 'none'}`, verdictOf(result)].join('; ')
}

const run = async (interrupted: AbortSignal): Promise<boolean> => {
  const missing = watchedPlatformMissing() ?? alertmanagerMissing()
  const names = SUITES.flatMap(({ modes }) => modes)
  const unknown = settings.only?.find((name) => !names.includes(name))
  if (unknown !== undefined) throw new Error(`no mode is called ${unknown}; --list names them`)
  const chosen = names.filter((name) => settings.only?.includes(name) ?? true)
  if (missing !== undefined) {
    print(
      JSON.stringify(
        totalsOf(
          [],
          chosen.map((name) => ({ name, reason: missing })),
        ),
      ),
    )
    return true
  }
  const folder = await mkdtemp(join(tmpdir(), 'bourse-gameday-'))
  const results: ModeResult[] = []
  const skipped: UndrilledMode[] = settings.only === undefined ? [...UNDRILLED] : []
  try {
    await runSuites({
      folder,
      timeScale: settings.timeScale,
      interrupted,
      chosen,
      onResult: (result) => {
        results.push(result)
        print(settings.json ? JSON.stringify(result) : shown(result))
      },
      onSkipped: (mode) => void skipped.push(mode),
      onLog: (text) => void process.stderr.write(`${text}\n`),
    })
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
  if (!settings.json) print(tableOf(results))
  if (settings.markdown !== undefined) await writeFile(settings.markdown, `${markdownOf(results)}\n`)
  const totals = totalsOf(results, skipped)
  print(JSON.stringify(totals))
  return totals.failed === 0
}

if (settings.list) for (const { modes } of SUITES) for (const name of modes) print(name)
else {
  const quit = new AbortController()
  // Once: what is broken is healed, stopped and taken away. Twice: at once, and all of it stays.
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => quit.abort(new Error('interrupted')))
  const passed = await run(quit.signal).catch((error: unknown) => {
    if (!quit.signal.aborted) throw error
    process.stderr.write('interrupted\n')
    return false
  })
  process.exitCode = passed ? 0 : 1
}
