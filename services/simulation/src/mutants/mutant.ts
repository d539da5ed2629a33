/** A planted bug: one change of one file's text, made when the file is loaded. The product itself has no switches for it. */
export interface Mutant {
  /** Stable, in kebab case. */
  readonly name: string
  /** What is wrong with the product then, in a sentence. */
  readonly what: string
  /** Path from the repository's root: a `.ts` file of `services` or `risk-rules/src`, or one of `risk-rules/assembly`. */
  readonly file: string
  /** Occurs exactly once in the file (a test makes sure). */
  readonly find: string
  readonly replace: string
}

/** Whether the mutant is in a machine that is compiled to WASM. */
export const isInWasm = ({ file }: Mutant): boolean => file.startsWith('risk-rules/assembly/')

/**
 * The file's text with the bug planted.
 * @throws {Error} when the text to change is not there exactly once
 */
export const planted = (mutant: Mutant, text: string): string => {
  const parts = text.split(mutant.find)
  if (parts.length !== 2)
    throw new Error(`${mutant.name}: '${mutant.find}' occurs ${parts.length - 1} times in ${mutant.file}, not once`)
  return parts.join(mutant.replace)
}

/** A text of several lines. */
export const lines = (...texts: readonly string[]): string => texts.join('\n')
