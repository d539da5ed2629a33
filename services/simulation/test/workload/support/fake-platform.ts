import type { SimulatedPlatform } from '../../../src/platform/exchange-platform.ts'
import { drawManifests } from '../../../src/platform/manifests.ts'
import type { World } from '../../../src/world/world.ts'

/** A call of a client of the command layer: which method, with what. */
export interface FakeCall {
  readonly atMs: number
  readonly method: string
  readonly given: readonly unknown[]
}

/** A platform whose every call is answered by `answer` after some ms; a promise that never settles: not at all. */
export const fakePlatform = (
  world: World,
  answer: (call: FakeCall) => unknown,
): { readonly platform: SimulatedPlatform; readonly calls: FakeCall[] } => {
  const calls: FakeCall[] = []
  const client = (name: string): object =>
    new Proxy(
      {},
      {
        get:
          (_, method) =>
          (...given: unknown[]) => {
            const call = { atMs: world.nowMs(), method: `${name}.${String(method)}`, given }
            calls.push(call)
            return new Promise((resolve, reject) => {
              world.schedule(5, 'an answer', () => {
                Promise.resolve()
                  .then(() => answer(call))
                  .then(resolve, reject)
              })
            })
          },
      },
    )
  const { pairs, banks } = drawManifests(world.chance('manifests'))
  const platform = {
    edgeOf: () => ({ trading: client('trading'), ledger: client('ledger'), bridge: client('bridge') }),
    pairs: () => pairs.map(({ spec }) => spec),
    banks: () => banks,
    quote: () => undefined,
    lastQuote: () => null,
    changePair: () => undefined,
    changeBank: () => undefined,
    exchangePrice: () => 170_500_000n,
    setExchangePrice: () => undefined,
    isQuiet: () => true,
  }
  return { platform: platform as unknown as SimulatedPlatform, calls }
}
