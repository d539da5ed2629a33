/** What a look at a backing service or at the machine found before the platform trusts it. */
export interface Finding {
  readonly service: 'rabbitmq' | 'mongodb' | 'redis' | 'clock'
  /** A stable name for people who search: `queue-not-durable`, `server-too-old`. */
  readonly code: string
  /** What is wrong, with the value found. */
  readonly message: string
  /** What an operator does about it. */
  readonly remedy: string
  /** Whether going on could lose or double something: the production profile does not start then. */
  readonly losesData: boolean
}
