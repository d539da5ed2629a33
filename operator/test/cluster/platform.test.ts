import { afterAll } from '@jest/globals'
import { describeUnless } from '@bourse/common/testkit/skip.ts'
import { declareBroken } from './scenarios/broken.ts'
import { declareDisruptions } from './scenarios/disruption.ts'
import { declareAudit, declareUninstall, declareUpgrade } from './scenarios/ending.ts'
import { declareOutages, declareShardFailures } from './scenarios/failures.ts'
import { declareInstall } from './scenarios/install.ts'
import { declareCommands, declareProductionRefusal, declareRights } from './scenarios/packaging.ts'
import { declareBanks, declareDeletions } from './scenarios/resources.ts'
import { declareScaling } from './scenarios/scaling.ts'
import { declareSnapshots } from './scenarios/snapshots.ts'
import { declareVerify } from './scenarios/verify.ts'
import { openCluster, type Cluster } from './support/cluster.ts'
import { clear } from './support/installation.ts'
import { clusterMissing, NoCluster } from './support/kit.ts'
import { createStage } from './support/stage.ts'

const END_MS_MAX = 15 * 60_000

/** The cluster, or why there is none: a machine on which the kit starts nothing can't show anything. */
const open = async (): Promise<Cluster | string> => {
  const missing = clusterMissing()
  if (missing !== undefined) return missing
  try {
    return await openCluster()
  } catch (error) {
    if (error instanceof NoCluster) return error.message
    throw error
  }
}
// Before the tests are declared: whether there are any depends on it. From a cold cache it takes many minutes.
const cluster = await open()

/** One cluster, one installation, one load: the scenarios run in this order and rely on those before them. */
describeUnless(typeof cluster === 'string' ? cluster : undefined, 'the platform on a cluster', () => {
  const stage = createStage()
  if (typeof cluster !== 'string') stage.set({ cluster })

  afterAll(async () => {
    if (stage.has('load')) await stage.now.load.stop()
    if (!stage.has('cluster')) return
    if (process.env['BOURSE_TEST_CLUSTER_KEEP'] === undefined) await clear(stage.now.cluster)
    await stage.now.cluster.giveBack()
  }, END_MS_MAX)

  declareInstall(stage)
  declareBanks(stage)
  // Early: what is deleted waits for the views, and the stand-in for MongoDB gets slower with all that it keeps.
  declareDeletions(stage)
  declareBroken(stage)
  declareScaling(stage)
  declareShardFailures(stage)
  declareUpgrade(stage)
  declareDisruptions(stage)
  declareOutages(stage)
  declareSnapshots(stage)
  declareCommands(stage)
  declareRights(stage)
  declareProductionRefusal(stage)
  declareAudit(stage)
  declareVerify(stage)
  declareUninstall(stage)
})
