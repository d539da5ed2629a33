import { noGoal, ratioAtLeast } from '../../goals.ts'
import type { Group } from '../../row.ts'
import { closedLoop, type Lane } from '../wire/support/loops.ts'
import { startPlatform, type MeasuredPlatform } from '../wire/support/platform.ts'
import { openConnection } from '../wire/support/http-client.ts'
import { closeLanes, signUpTraders, tradeLane, type Trader } from '../wire/support/traders.ts'
import { startCollector } from './collector.ts'

const CONNECTIONS = 64
const SLICE_MS = 1_000
const WARM_UP_ROUNDS = 3
const ROUNDS = 6

/** Part of the requests whose traces are recorded, by the variant's name; null: tracing is off. */
const VARIANTS = { off: null, '1-percent': '0.01', all: '1' } as const
type Variant = keyof typeof VARIANTS
const NAMES = Object.keys(VARIANTS) as Variant[]

const environmentOf = (variant: Variant, collectorUrl: string): Readonly<Record<string, string>> => {
  const ratio = VARIANTS[variant]
  return ratio === null ? {} : { OTEL_EXPORTER_OTLP_ENDPOINT: collectorUrl, OTEL_TRACES_SAMPLER_ARG: ratio }
}

interface Started {
  readonly platform: MeasuredPlatform
  readonly traders: readonly Trader[]
}

/** Their connections are closed again: the other platforms are still to come, and a server keeps none that long. */
const start = async (variant: Variant, collectorUrl: string): Promise<Started> => {
  const platform = await startPlatform({ env: environmentOf(variant, collectorUrl) })
  try {
    const traders = await signUpTraders(platform, CONNECTIONS)
    for (const { connection } of traders) connection.close()
    return { platform, traders }
  } catch (error) {
    await platform.stop()
    throw error
  }
}

const connect = ({ platform, traders }: Started): Promise<readonly Lane[]> =>
  Promise.all(
    traders.map(async ({ cookie }) => {
      const connection = await openConnection(platform, (error) => {
        throw error
      })
      return tradeLane({ connection, cookie }, ['open', 'close'])
    }),
  )

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length

/** Rates of all variants: slices of each in turn, so that a machine that slows down slows all; the order turns each round. */
const ratesOf = async (lanes: ReadonlyMap<Variant, readonly Lane[]>): Promise<Readonly<Record<Variant, number>>> => {
  const rates: Record<Variant, number[]> = { off: [], '1-percent': [], all: [] }
  for (let round = 0; round < WARM_UP_ROUNDS + ROUNDS; round++)
    for (const index of NAMES.keys()) {
      const name = NAMES[(index + round) % NAMES.length]!
      const rate = await closedLoop(lanes.get(name)!, SLICE_MS)
      if (round >= WARM_UP_ROUNDS) rates[name].push(rate)
    }
  return { off: mean(rates.off), '1-percent': mean(rates['1-percent']), all: mean(rates.all) }
}

const WORK =
  `CREATE_TRADE and CLOSE_TRADE in turn over ${CONNECTIONS} kept connections, each variant in a platform of its own, slices ` +
  'of all in turn; spans are exported to a collector on the same machine.'

/** Throughput with and without traces. */
export const throughput: Group = {
  name: 'trace',
  rows: [
    {
      name: 'trace/1-percent',
      what: `One request in a hundred is traced, from HTTP to the journals and back. ${WORK} Peer: off, without tracing.`,
      unit: 'requests/s',
      kind: 'wire to wire',
      goal: ratioAtLeast('off', 0.9),
    },
    {
      name: 'trace/all',
      what: `Every request is traced, to be looked at and not to be run with. ${WORK} Peer: off, without tracing.`,
      unit: 'requests/s',
      kind: 'wire to wire',
      goal: noGoal,
    },
  ],
  measure: async () => {
    const collector = await startCollector()
    const started = new Map<Variant, Started>()
    const lanes = new Map<Variant, readonly Lane[]>()
    try {
      for (const name of NAMES) started.set(name, await start(name, collector.url))
      for (const [name, one] of started) lanes.set(name, await connect(one))
      const { off, ...traced } = await ratesOf(lanes)
      if (collector.exports() === 0) throw new Error('no span was exported: nothing was measured')
      return {
        'trace/1-percent': { value: traced['1-percent'], peers: { off } },
        'trace/all': { value: traced.all, peers: { off } },
      }
    } finally {
      for (const one of lanes.values()) closeLanes(one)
      for (const { platform } of started.values()) await platform.stop()
      await collector.close()
    }
  },
}
