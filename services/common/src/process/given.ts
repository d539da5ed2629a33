/** A value that the configuration requires of this program (see `config/variables.ts`), so that it is there. */
export const given = <Value>(value: Value | null): Value => {
  if (value === null) throw new Error('a variable that the program requires has no value')
  return value
}
