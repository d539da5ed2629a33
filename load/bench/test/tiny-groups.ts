/** Groups that measure nothing but the command: given to it in place of the real ones. */
import { allOf, atMost, ratioAtLeast } from '../src/goals.ts'
import type { Group, GroupEntry } from '../src/row.ts'

const fast: Group = {
  name: 'tiny/fast',
  rows: [
    { name: 'tiny/one', what: 'nothing, once', unit: 'ns', kind: 'core', goal: atMost(40, 'ns') },
    {
      name: 'tiny/two',
      what: 'nothing, beside a peer | with a bar',
      unit: 'ops/s',
      kind: 'core + fsync',
      goal: allOf(ratioAtLeast('slow-peer', 2), ratioAtLeast('missing-peer', 99)),
    },
  ],
  nodeFlags: ['--expose-gc'],
  measure: async () => ({
    // Without the flag there is no collector to call, and the goal is missed.
    'tiny/one': { value: typeof globalThis.gc === 'function' ? 10 + (process.pid % 7) : 1_000, peers: {} },
    'tiny/two': { value: 3_000_000, peers: { 'slow-peer': 2_000_000 }, absent: { 'missing-peer': 'not installed' } },
  }),
}

const away: Group = {
  name: 'away/row',
  rows: [{ name: 'away/row', what: 'cannot be', unit: 'ms', kind: 'wire to wire', goal: atMost(1, 'ms') }],
  unavailable: async () => 'there is no such part here',
  measure: async () => {
    throw new Error('measured all the same')
  },
}

const broken: Group = {
  name: 'broken/row',
  rows: [{ name: 'broken/row', what: 'breaks', unit: 'ms', kind: 'core', goal: atMost(1, 'ms') }],
  measure: async () => {
    throw new Error('it broke')
  },
}

const entry = (group: Group): GroupEntry => ({ name: group.name, load: async () => group })

export const groups: readonly GroupEntry[] = [fast, away, broken].map(entry)
