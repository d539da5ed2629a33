/** A crowd that comes at once and goes again. */
import { checkBooks } from './lib/books.ts'
import { optionsOf } from './lib/profile.ts'
import { prepareRun } from './lib/run.ts'
import { summaryOf } from './lib/summary.ts'

export { banks, newcomer, readers, subscribers, trading } from './lib/scenarios.ts'

/** The scenarios and their bounds. */
export const options = optionsOf({
  startTimes: 0.5,
  stages: [
    { times: 0.5, seconds: 30 },
    { times: 4, seconds: 3 },
    { times: 4, seconds: 20 },
    { times: 0.5, seconds: 3 },
    { times: 0.5, seconds: 30 },
  ],
  patience: 4,
})
/** Before the first iteration. */
export const setup = prepareRun
/** After the last one. */
export const teardown = checkBooks
/** The report. */
export const handleSummary = summaryOf('spike')
