/** Largest seed: loads give each actor a thousandfold of it and more, which stays within 32 bits. */
export const TEST_SEED_MAX = 0xfffff

/**
 * The seed that a test draws from: `BOURSE_TEST_SEED`, which every test script sets (to the commit's unless told otherwise); one
 * that nobody has had when a test is run past the scripts. A whole number from 0 to 1048575.
 */
export const testSeed = (): number => {
  const text = process.env['BOURSE_TEST_SEED']
  if (text === undefined || text === '') return Math.floor(performance.timeOrigin) % (TEST_SEED_MAX + 1)
  const seed = Number(text)
  if (!Number.isSafeInteger(seed) || seed < 0 || seed > TEST_SEED_MAX) {
    throw new RangeError(`BOURSE_TEST_SEED is '${text}'; give a whole number from 0 to ${TEST_SEED_MAX}`)
  }
  return seed
}
