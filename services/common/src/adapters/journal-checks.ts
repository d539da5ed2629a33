import type { PartitionNumber } from '../kernel/partition.ts'
import { decodeSegment } from '../kernel/archive-codec.ts'
import { PortError } from '../ports/failure.ts'
import { RECORD_BYTES_MAX, type ArchiveSegment, type StoredRecord } from '../ports/journal.ts'

/** What every journal asks of a record before it looks at its place. @throws {PortError} `full`, `corrupt` */
export const checkRecord = (record: StoredRecord): void => {
  if (record.body.length > RECORD_BYTES_MAX) {
    throw new PortError('full', `a record of ${record.body.length} bytes; at most ${RECORD_BYTES_MAX}`)
  }
  if (record.hash.length !== 32)
    throw new PortError('corrupt', `a record's hash has ${record.hash.length} bytes instead of 32`)
  if (record.sequence < 1n) throw new PortError('corrupt', `record ${record.sequence}: sequences start at 1`)
}

/** The refusal of a record that would leave a gap. */
export const gapBefore = (partition: PartitionNumber, sequence: bigint): PortError =>
  new PortError(
    'corrupt',
    `record ${sequence} of partition ${partition} would leave a gap: ${sequence - 1n} is not there`,
  )

/** The refusal of a segment that does not follow what is archived. */
export const segmentOutOfPlace = (segment: ArchiveSegment, through: bigint): PortError =>
  new PortError('corrupt', `archive ${segment.first}…${segment.last} does not continue ${through}`)

/** The records of an archive segment. @throws {PortError} `corrupt` */
export const recordsIn = async (segment: ArchiveSegment): Promise<readonly StoredRecord[]> => {
  try {
    return await decodeSegment(segment)
  } catch (error) {
    throw new PortError('corrupt', `archive segment ${segment.first}…${segment.last} can not be read`, { cause: error })
  }
}
