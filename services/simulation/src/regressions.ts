import type { FaultKind } from './faults/kinds.ts'
import type { Profile } from './run/seed-report.ts'

/** A run that once found something: what was wrong then. It is run by every test from then on. */
export interface Regression {
  readonly seed: number
  readonly steps: number
  readonly profile: Profile
  readonly without?: readonly FaultKind[]
  readonly what: string
}

/** Every run that failed while the platform or the simulator was built. */
export const regressions: readonly Regression[] = [
  {
    seed: 10,
    steps: 40,
    profile: 'mixed',
    what: 'the keyed close of a trade that is nowhere left its key to any other request',
  },
  {
    seed: 3175274681,
    steps: 400,
    profile: 'mixed',
    what: 'a bank was told of a trade that it was not accepted; an owner that had stood still for 15 s then took it up',
  },
  { seed: 2, steps: 20, profile: 'mixed', what: 'clients threw when the views did not answer, instead of refusing' },
  {
    seed: 14,
    steps: 120,
    profile: 'mixed',
    what: 'two corrections of one transaction at once were both booked',
  },
  {
    seed: 28,
    steps: 120,
    profile: 'mixed',
    what: 'an idle owner never heard of another writer, whose last effects were then in nobody’s hands',
  },
  {
    seed: 533,
    steps: 400,
    profile: 'mixed',
    what: 'the auditor called a key that an earlier release let go used twice, when a trade that is nowhere took it',
  },
  {
    seed: 1221,
    steps: 400,
    profile: 'mixed',
    what: 'a transaction whose record no full disk took was counted as under way for ever by the simulator',
  },
  {
    seed: 1707,
    steps: 400,
    profile: 'mixed',
    what: 'a key older than the ledger’s memory, its order still on the way, was told of a conflict with itself',
  },
  {
    seed: 1786,
    steps: 400,
    profile: 'mixed',
    what: 'the simulated bus brought a message a second time behind a later one of its sender: a bank’s old rules came back',
  },
  {
    seed: 3702563302,
    steps: 400,
    profile: 'mixed',
    what: 'closing took what its repeats had begun for stuck after twenty minutes, though it moved: only the run was impatient',
  },
  {
    seed: 2571905454,
    steps: 400,
    profile: 'mixed',
    what: 'the same with faults: a ledger with room for few ids was still at work on what a bank had sent it',
  },
]
