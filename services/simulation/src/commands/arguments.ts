import { InvalidArgumentError } from 'commander'
import { faultKinds, type FaultKind } from '../faults/kinds.ts'
import { profiles, type Profile } from '../run/seed-report.ts'
import { parseNumbers } from '../run/steps.ts'

/** Reads a whole number within bounds, both included. */
export const wholeNumber =
  (least: number, most: number) =>
  (text: string): number => {
    const value = /^\d{1,10}$/.test(text) ? Number(text) : -1
    if (value < least || value > most) throw new InvalidArgumentError(`It is a whole number from ${least} to ${most}.`)
    return value
  }

/** Reads seeds or steps: `7`, `1..300`, `1..3,7`. */
export const numbers = (text: string): readonly number[] => {
  const read = parseNumbers(text)
  if (read === undefined) throw new InvalidArgumentError('It is a number, a range A..B, or a list of these.')
  return read
}

/** Reads a profile. */
export const profile = (text: string): Profile => {
  const found = profiles.find((name) => name === text)
  if (found === undefined) throw new InvalidArgumentError(`It is one of ${profiles.join(', ')}.`)
  return found
}

/** Reads a list of fault kinds. */
export const kinds = (text: string): readonly FaultKind[] =>
  text.split(',').map((name) => {
    const found = faultKinds.find((kind) => kind === name)
    if (found === undefined) throw new InvalidArgumentError(`'${name}' is none of ${faultKinds.join(', ')}.`)
    return found
  })
