import type { TradingPairSpec } from '@bourse/common/resources/trading-pair.ts'
import { invalid } from '../http/api-error.ts'

/** The asset, when one of the pairs is it. @throws {ApiError} `VALIDATION_ERROR` naming those that are */
export const tradedAsset = (pairs: readonly Pick<TradingPairSpec, 'symbol'>[], asset: string): string => {
  const symbols = pairs.map(({ symbol }) => symbol)
  if (!symbols.includes(asset)) throw invalid(`asset "${asset}" is not traded here; use one of ${symbols.join(', ')}`)
  return asset
}
