/** How a call through a port can fail. `unknown` means: it may have been done; look before repeating. */
export const failureKinds = ['unavailable', 'unknown', 'closed', 'full', 'timeout', 'corrupt'] as const
/** One of the kinds. */
export type FailureKind = (typeof failureKinds)[number]

/** The only error that leaves an adapter; a driver's own error is its `cause`. */
export class PortError extends Error {
  override readonly name = 'PortError'
  readonly kind: FailureKind
  constructor(kind: FailureKind, message: string, options?: ErrorOptions) {
    super(message, options)
    this.kind = kind
  }
}
