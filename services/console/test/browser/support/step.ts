/** Says what a test shows now, for whoever watches the run. */
export const step = (what: string): void => {
  process.stderr.write(`    step: ${what}\n`)
}
