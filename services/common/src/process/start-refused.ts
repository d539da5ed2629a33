/** Something that keeps a process from starting and that an operator can change; every fault is a line. */
export class StartRefused extends Error {
  override readonly name = 'StartRefused'
  readonly faults: readonly string[]
  constructor(faults: readonly string[]) {
    super(faults.join('\n'))
    this.faults = faults
  }
}
