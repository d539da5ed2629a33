/** Properties without a seed of their own draw from the run's (`test-seed.ts`); a file that is run past the script draws anew. */
import fc from 'fast-check'

const seed = process.env.BOURSE_TEST_SEED
if (seed !== undefined && seed !== '') fc.configureGlobal({ seed: Number(seed) })
