import { hexOf, ownerOfUuid } from '@bourse/common/platform/identity.ts'

/** 16 bytes in the text form of a UUID (version 8, the one for values of one's own making). */
export const uuidOfBytes = (bytes: Uint8Array): string => {
  const copy = Buffer.from(bytes)
  copy[6] = ((copy[6] ?? 0) & 0x0f) | 0x80
  copy[8] = ((copy[8] ?? 0) & 0x3f) | 0x80
  const hex = copy.toString('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}

/** How the views name a user's account: the owner's 16 bytes in hex. */
export const accountKeyOf = (userId: string): string => hexOf(ownerOfUuid(userId))
