/** Who asks and under which id: part of every command that changes something. */
export interface CommandIdentity {
  /** 16 bytes: first half of SHA-256(scope + idempotency key), or random when the client gave no key. */
  readonly id: Uint8Array
  /** 16 bytes: first half of SHA-256 over method, path and the client's parsed fields (amounts in units). */
  readonly requestHash: Uint8Array
  /** Whether the client may repeat it for ever (it sent a key), so that the id must be registered at one place. */
  readonly keyed: boolean
}
