import type { UndrilledMode } from './mode.ts'

/** Failure modes that no drill makes, and what shows their alerts instead. */
export const UNDRILLED: readonly UndrilledMode[] = [
  {
    name: 'operator',
    reason: 'needs a cluster: `npm run test:cluster` breaks the operator; its alerts have promtool tests',
  },
  {
    name: 'memory-leak',
    reason:
      'BourseMemoryGrowing compares hours: at any scale of minutes a leak looks like a start; it has a promtool test',
  },
  {
    name: 'command-traps',
    reason: 'no door makes a sound machine trap; the kernel’s tests do, and BourseEngineFault has a promtool test',
  },
  {
    name: 'journal-damaged',
    reason:
      'a start refuses it and exits 1 before there are metrics: BourseTargetDown, as for any process that is gone',
  },
]
