/** An ordinary busy hour in two minutes: up to the base rate, and staying there. */
import { checkBooks } from './lib/books.ts'
import { optionsOf } from './lib/profile.ts'
import { prepareRun } from './lib/run.ts'
import { summaryOf } from './lib/summary.ts'

export { banks, newcomer, readers, subscribers, trading } from './lib/scenarios.ts'

/** The scenarios and their bounds. */
export const options = optionsOf({
  startTimes: 0.3,
  stages: [
    { times: 1, seconds: 30 },
    { times: 1, seconds: 90 },
  ],
  patience: 1,
})
/** Before the first iteration. */
export const setup = prepareRun
/** After the last one. */
export const teardown = checkBooks
/** The report. */
export const handleSummary = summaryOf('load')
