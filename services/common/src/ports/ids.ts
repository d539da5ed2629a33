/**
 * Ids.
 *
 * I1 `uuid` never repeats and has the text form of RFC 9562 (36 characters, lower case).
 * I2 `bytes16` are the 16 bytes of such a UUID.
 */
export interface Ids {
  uuid(): string
  bytes16(): Uint8Array
}
