/** The base rate for an hour: what leaks or grows shows. */
import { checkBooks } from './lib/books.ts'
import { optionsOf } from './lib/profile.ts'
import { prepareRun } from './lib/run.ts'
import { summaryOf } from './lib/summary.ts'

export { banks, newcomer, readers, subscribers, trading } from './lib/scenarios.ts'

/** The scenarios and their bounds. */
export const options = optionsOf({
  startTimes: 0.3,
  stages: [
    { times: 1, seconds: 60 },
    { times: 1, seconds: 3540 },
  ],
  patience: 1,
})
/** Before the first iteration. */
export const setup = prepareRun
/** After the last one. */
export const teardown = checkBooks
/** The report. */
export const handleSummary = summaryOf('soak')
