import type { SeriesDefinition } from './definition.ts'
import { GATEWAY_SERIES } from './gateway.ts'
import { KERNEL_SERIES } from './kernel.ts'
import { BRIDGE_SERIES, LEDGER_SERIES, MARKET_SERIES, TRADING_SERIES } from './money.ts'
import { OPERATOR_SERIES } from './operator.ts'
import { PROCESS_SERIES } from './process.ts'

/**
 * Every series that a process of the platform may show, but for Node's own (`nodejs_*`, `process_*`). What is not here can not be
 * registered. The platform's own names begin with `bourse_`; the operator's machinery keeps the field's names.
 */
export const CATALOGUE = {
  ...GATEWAY_SERIES,
  ...KERNEL_SERIES,
  ...LEDGER_SERIES,
  ...TRADING_SERIES,
  ...BRIDGE_SERIES,
  ...MARKET_SERIES,
  ...PROCESS_SERIES,
  ...OPERATOR_SERIES,
} as const satisfies Record<string, SeriesDefinition>

type Catalogue = typeof CATALOGUE

/** Name of a series. */
export type SeriesName = keyof Catalogue

/** Names of the series of a type. */
export type SeriesOfType<Type extends SeriesDefinition['type']> = {
  [Name in SeriesName]: Catalogue[Name]['type'] extends Type ? Name : never
}[SeriesName]

/** Label names of a series. */
export type LabelOf<Name extends SeriesName> = Extract<keyof Catalogue[Name]['labels'], string>
