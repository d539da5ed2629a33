import { createDistributed, describeOnServers, startServers, type Servers } from '../support/distributed.ts'
import { testKills } from '../support/kill-scenario.ts'

const SHARDS = ['--trading-shards', '2', '--ledger-shards', '2']

describeOnServers('a platform of many processes', () => {
  let servers: Servers

  testKills({
    title: 'all of them killed with -9 at once, under load',
    create: async () => {
      servers = await startServers()
      const bourse = await createDistributed(servers, SHARDS)
      return {
        ...bourse,
        remove: async () => {
          await bourse.remove()
          await servers.stop()
        },
      }
    },
    startMsMax: 240_000,
    verifyArguments: () => ['--mongodb-url', servers.mongoUrl],
  })
})
