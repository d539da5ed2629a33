/** Beyond what is ordinary, in steps: the bounds tell at which the platform no longer keeps up. */
import { checkBooks } from './lib/books.ts'
import { optionsOf } from './lib/profile.ts'
import { prepareRun } from './lib/run.ts'
import { summaryOf } from './lib/summary.ts'

export { banks, newcomer, readers, subscribers, trading } from './lib/scenarios.ts'

/** The scenarios and their bounds. */
export const options = optionsOf({
  startTimes: 1,
  stages: [
    { times: 2, seconds: 30 },
    { times: 2, seconds: 60 },
    { times: 3, seconds: 30 },
    { times: 3, seconds: 60 },
    { times: 4, seconds: 30 },
    { times: 4, seconds: 60 },
  ],
  patience: 2,
})
/** Before the first iteration. */
export const setup = prepareRun
/** After the last one. */
export const teardown = checkBooks
/** The report. */
export const handleSummary = summaryOf('stress')
