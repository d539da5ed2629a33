/**
 * Partitions are numbered once, for ever: machine, market and index packed in 32 bits. The number travels in
 * effects and records; the name is for people.
 */

/** The machines of the platform and their numbers in a partition number. */
export const machineNumbers = { ledger: 1, trading: 2, bridge: 3 } as const
/** Name of a machine. */
export type MachineName = keyof typeof machineNumbers
/** machine << 24 | market << 8 | index. */
export type PartitionNumber = number

/** Markets a platform can have. */
export const MARKETS_MAX = 65_535
/** Partitions of one machine (in one market). */
export const PARTITIONS_MAX = 256

/** Packs a partition number. `market` is 0 except for trading. */
export const partitionNumber = (machine: MachineName, index: number, market = 0): PartitionNumber => {
  if (!Number.isInteger(index) || index < 0 || index >= PARTITIONS_MAX) throw new RangeError(`partition index ${index}`)
  if (!Number.isInteger(market) || market < 0 || market > MARKETS_MAX) throw new RangeError(`market ${market}`)
  return machineNumbers[machine] * 0x1000000 + market * 256 + index
}

/** Unpacks a partition number. */
export const partitionParts = (number: PartitionNumber): { machine: MachineName; market: number; index: number } => {
  const code = Math.floor(number / 0x1000000)
  const machine = (Object.keys(machineNumbers) as MachineName[]).find((name) => machineNumbers[name] === code)
  if (machine === undefined) throw new RangeError(`partition number ${number} names no machine`)
  return { machine, market: (number >>> 8) & 0xffff, index: number & 0xff }
}

/** A name for logs and people: `ledger/3`, `trading/2/0` (market number, index). */
export const partitionName = (number: PartitionNumber): string => {
  const { machine, market, index } = partitionParts(number)
  return machine === 'trading' ? `trading/${market}/${index}` : `${machine}/${index}`
}

/**
 * Which of `count` (a power of two) partitions holds `owner` (16 bytes). The bytes are a UUID or a digest, so
 * their mix is enough; all 16 count, since sequential ids differ only at the end.
 */
export const partitionIndexOf = (owner: Uint8Array, count: number): number => {
  let hash = 0x811c9dc5
  for (const byte of owner) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d) >>> 0
  hash ^= hash >>> 12
  return (hash >>> 0) & (count - 1)
}
