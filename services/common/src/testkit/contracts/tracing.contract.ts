import { describe, expect, test } from '@jest/globals'
import { TRACEPARENT, type Tracer } from '../../ports/tracing.ts'

/** A tracer, and the spans that it recorded so far, by name. */
export interface TracerUnderTest {
  readonly tracer: Tracer
  recorded(): readonly string[]
}

const TRACE_ID = '0af7651916cd43dd8448eb211c80319c'
const callerOf = (flags: string) => ({ [TRACEPARENT]: `00-${TRACE_ID}-b7ad6b7169203331-${flags}` })

/** Runs the contract of the Tracer port; `open` makes a tracer that records this part of the traces that begin with it. */
export const tracingContract = (name: string, open: (ratio: number) => TracerUnderTest): void => {
  describe(`tracer: ${name}`, () => {
    test('R1 a caller who records is followed, and one who does not; without one the ratio decides', () => {
      for (const ratio of [0, 1]) {
        const { tracer, recorded } = open(ratio)
        tracer.begin({ name: 'followed', kind: 'server' }, callerOf('01'))?.end()
        expect(tracer.begin({ name: 'not followed', kind: 'server' }, callerOf('00'))).toBeNull()
        const own = tracer.begin({ name: 'own', kind: 'server' })
        own?.end()
        expect(own !== null).toBe(ratio === 1)
        expect(recorded()).toEqual(ratio === 1 ? ['followed', 'own'] : ['followed'])
      }
    })

    test('R2 a child is recorded in the trace of its parent, whatever the ratio is', () => {
      const { tracer, recorded } = open(0)
      const child = tracer.child(callerOf('01'), { name: 'child', kind: 'internal' })
      expect(child.context[TRACEPARENT]).toMatch(new RegExp(`^00-${TRACE_ID}-[\\da-f]{16}-01$`))
      child.end()
      expect(recorded()).toEqual(['child'])
    })

    test('R3 the active context is that of the innermost work, across awaits, and none outside', async () => {
      const { tracer } = open(1)
      const [outer, inner] = [callerOf('01'), callerOf('00')]
      const seen = await tracer.within(outer, async () => {
        await Promise.resolve()
        const within = tracer.within(inner, () => tracer.active())
        return [tracer.active(), within, tracer.active()]
      })
      expect(seen).toEqual([outer, inner, outer])
      expect(tracer.active()).toBeUndefined()
    })

    test('R4 nothing throws, whatever it is given, and what work throws comes through', () => {
      const { tracer } = open(1)
      const span = tracer.begin({ name: '', kind: 'client', startMs: -1 }, { [TRACEPARENT]: 'garbage' })
      span?.end({ endMs: -5 })
      span?.set({ late: true })
      span?.rename('late')
      span?.end()
      tracer.child({}, { name: 'orphan', kind: 'internal', links: [{}, { [TRACEPARENT]: 'garbage' }] }).end()
      const failure = new Error('of the work')
      const fail = (): never => {
        throw failure
      }
      expect(() => tracer.within(callerOf('01'), fail)).toThrow(failure)
    })
  })
}
