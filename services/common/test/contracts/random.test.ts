import { createSystemRandom } from '../../src/adapters/system/random.ts'
import { randomContract } from '../../src/testkit/contracts/random.contract.ts'
import { createSeededRandom } from '../../src/testkit/seeded-random.ts'

randomContract({
  name: "the system's chance",
  open: async () => ({ port: createSystemRandom(), destroy: async () => undefined }),
})
randomContract({
  name: 'seeded chance',
  open: async () => ({ port: createSeededRandom(42), destroy: async () => undefined }),
})
