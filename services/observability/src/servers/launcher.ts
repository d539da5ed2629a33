/**
 * The launcher of a watched platform, a process of its own: `launcher.ts PLAN`, where PLAN is JSON of `LauncherPlan`. It is
 * `npm run start:distributed` whose programs stand on ports that are known before; a parent that sends `programs` is told which
 * there are.
 */
import { launch } from '@bourse/all-in-one/distributed/launch.ts'
import type { Supervised } from '@bourse/all-in-one/distributed/supervisor.ts'
import { runProgram } from '@bourse/common/process/run.ts'
import type { LauncherPlan, ProgramsMessage } from './launcher-plan.ts'

const plan = JSON.parse(process.argv[2] ?? '') as LauncherPlan
const programs: Supervised[] = []

process.on('message', (message) => {
  if (message !== 'programs') return
  process.send?.({
    kind: 'programs',
    programs: programs.map(({ name, program, pid, url, restarts }) => ({
      name,
      program,
      pid: pid(),
      url: url(),
      restarts: restarts(),
    })),
  } satisfies ProgramsMessage)
})

await runProgram({
  program: 'launcher',
  name: 'launcher',
  title: 'The platform',
  start: (context) =>
    launch(context, plan.counts, {
      envOf: (name) => plan.env[name] ?? {},
      onStarted: (program) => void programs.push(program),
    }),
})
