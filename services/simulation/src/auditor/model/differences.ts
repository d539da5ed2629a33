/** The fields of `told` that differ from what they should be, as text; empty when all agree. */
export const differences = (
  told: Readonly<Record<string, unknown>>,
  expected: Readonly<Record<string, unknown>>,
): string =>
  Object.entries(expected)
    .filter(([name, value]) => told[name] !== value)
    .map(([name, value]) => `${name} ${String(told[name])}, not ${String(value)}`)
    .join('; ')
