import type { ResourceKind } from '../runtime/types.ts'
import type { BankResource } from './bank.ts'
import type { TradingPairResource } from './trading-pair.ts'

/** Group and version of both resources. */
export const API_VERSION = 'bourse.dev/v1alpha1'

/** Markets. */
export const tradingPairKind: ResourceKind<TradingPairResource> = {
  apiVersion: API_VERSION,
  kind: 'TradingPair',
  plural: 'tradingpairs',
}

/** Partner banks. */
export const bankKind: ResourceKind<BankResource> = { apiVersion: API_VERSION, kind: 'Bank', plural: 'banks' }
