/** Keeps a Bank until its transactions have ended and its policy was carried out. */
export const BANK_FINALIZER = 'bourse.dev/bank'
/** On a Bank: a value not acted on yet asks for a new key. On its Secret: the value last acted on. */
export const ROTATE_ANNOTATION = 'bourse.dev/rotate-key'
/** On a Bank: `"true"` leaves everything as it is; deletion goes on. */
export const PAUSED_ANNOTATION = 'bourse.dev/paused'
/** On the bridge's pods: which version of the webhook secrets the kubelet was told to bring. */
export const REVISION_ANNOTATION = 'bourse.dev/secrets-revision'
/** On key Secrets: the bank they belong to. */
export const BANK_LABEL = 'bourse.dev/bank'

/** Name of the Secret with a bank's key. */
export const keySecretName = (bank: string): string => `bank-${bank}-key`
/** The bank whose callback may be the simulator. */
export const DEMO_BANK = 'demo'
