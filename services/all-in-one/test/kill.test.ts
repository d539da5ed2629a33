import { createBourse } from './support/bourse.ts'
import { testKills } from './support/kill-scenario.ts'

testKills({
  title: 'kill -9 under load',
  create: createBourse,
  startMsMax: 60_000,
  verifyArguments: ({ dataDir }) => ['--data-dir', dataDir],
})
