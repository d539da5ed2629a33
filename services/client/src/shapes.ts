import type { components } from './generated/schema.ts'

type Schemas = components['schemas']

/** Shapes of the API by their names in its document; amounts and prices are decimal strings. */
export type Market = Schemas['Market']
export type Price = Schemas['Price']
export type Candle = Schemas['Candle']
export type Account = Schemas['Account']
export type Balance = Schemas['Balance']
export type Balances = Schemas['Balances']
export type UsdBalance = Schemas['UsdBalance']
export type OpenTrade = Schemas['OpenTrade']
export type ValuedTrade = Schemas['ValuedTrade']
export type ClosedTrade = Schemas['ClosedTrade']
export type ListedTrade = Schemas['ListedTrade']
export type ListedOpenTrade = Schemas['ListedOpenTrade']
export type ListedClosedTrade = Schemas['ListedClosedTrade']
export type User = Schemas['User']
/** A body of the engine's route. */
export type EngineCommand = Schemas['EngineCommand']

/** Direction of a trade. */
export type Direction = OpenTrade['direction']
/** Why a trade was closed. */
export type CloseReason = ClosedTrade['reason']
/** Length of a bar. */
export type CandleInterval = '1m' | '5m' | '15m' | '1h' | '4h' | '1d'
