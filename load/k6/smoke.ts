/** Does everything work at all? Every scenario at a fraction of the base rate, for a quarter of a minute. */
import { checkBooks } from './lib/books.ts'
import { optionsOf } from './lib/profile.ts'
import { prepareRun } from './lib/run.ts'
import { summaryOf } from './lib/summary.ts'

export { banks, newcomer, readers, subscribers, trading } from './lib/scenarios.ts'

/** The scenarios and their bounds. */
export const options = optionsOf({
  startTimes: 0.3,
  stages: [{ times: 0.3, seconds: 15 }],
  patience: 2,
})
/** Before the first iteration. */
export const setup = prepareRun
/** After the last one. */
export const teardown = checkBooks
/** The report. */
export const handleSummary = summaryOf('smoke')
