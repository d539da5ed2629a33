import { closeReasons } from '@bourse/risk-rules/trading/codec.ts'
import type { ClosedTrade, OpenTrade } from '@bourse/trading/client/types.ts'
import { isLiquidationPrice } from '../../arithmetic/cfd.ts'
import { differences } from '../../model/differences.ts'
import { tradeAfter } from '../../model/trading/book.ts'
import { callText, wasOnDisk, type Case } from '../case.ts'
import { faultsOfTrade, lifeAt, sharedFields } from '../told-trade.ts'
import { ANSWERS_STILL_TRUE as STATEMENT, type Answered, type Of } from './answered.ts'

const reasonNumber = (name: string): number => closeReasons[name as keyof typeof closeReasons]

/** An acknowledged opening: the trade is there, the client's own, as asked and as told, and was on the disk. */
export const checkOpened = (
  on: Case,
  call: Answered,
  request: Of<'open-trade'>,
  told: OpenTrade,
  id: string | null,
): void => {
  const found = lifeAt(on, told.tradeId)
  if (found === null)
    return on.complain(STATEMENT, `${callText(call)}: trade ${told.tradeId} was acknowledged and is not there`)
  const { life, partition } = found
  const { trade } = life
  const asked = {
    direction: request.direction,
    margin: request.margin,
    leverage: request.leverage,
    stopLossPrice: request.stopLossPrice,
    takeProfitPrice: request.takeProfitPrice,
    asset: request.asset,
  }
  const wrong = [differences({ ...told }, asked), faultsOfTrade(told, trade, found, trade.fundingAtOpen)]
    .filter((text) => text !== '')
    .join('; ')
  if (wrong !== '') on.complain(STATEMENT, `${callText(call)}: trade ${told.tradeId}: ${wrong}`)
  if (trade.account !== on.identities.ownerOf(request.trader))
    on.complain(STATEMENT, `${callText(call)}: trade ${told.tradeId} is another's`)
  if (id !== null && trade.openId !== id)
    on.complain(STATEMENT, `${callText(call)}: trade ${told.tradeId} was opened by ${trade.openId}, not by ${id}`)
  if (!wasOnDisk(on, call, partition, trade.openedIn))
    on.complain(
      STATEMENT,
      `${callText(call)}: trade ${told.tradeId} was acknowledged before its record was on the disk`,
    )
}

/**
 * An acknowledged update: the client's own trade got stops by it (or by a command like it, when it has no key), is told with them
 * and otherwise as it is, and that was on the disk.
 */
export const checkUpdated = (
  on: Case,
  call: Answered,
  request: Of<'update-trade'>,
  told: OpenTrade,
  id: string | null,
): void => {
  const what = `${callText(call)}: the update of ${request.tradeId}`
  const found = lifeAt(on, request.tradeId)
  if (found === null || told.tradeId !== request.tradeId)
    return on.complain(STATEMENT, `${what} was acknowledged; it is not there`)
  const { life, book, partition } = found
  const asked = { stopLossPrice: request.stopLossPrice, takeProfitPrice: request.takeProfitPrice }
  const changed = Object.fromEntries(Object.entries(asked).filter(([, price]) => price !== undefined))
  const notAsked = differences({ ...told }, changed)
  if (notAsked !== '') on.complain(STATEMENT, `${what}: ${notAsked}`)
  if (life.trade.account !== on.identities.ownerOf(request.trader)) on.complain(STATEMENT, `${what}: it is another's`)
  const possible = life.changes.filter((change) => id === null || change.id === id)
  const faults = possible.map(({ changedIn, stopLoss, takeProfit, fundingAt }) => {
    const trade = { ...life.trade, stopLoss, takeProfit }
    const wrong = differences({ ...told }, { ...sharedFields(trade), fundingCost: 0n })
    if (wrong !== '') return wrong
    if (!isLiquidationPrice(trade, told.liquidationPrice ?? 0n, fundingAt, book.terms?.tickSize ?? 1n))
      return `liquidationPrice ${told.liquidationPrice}`
    return wasOnDisk(on, call, partition, changedIn) ? '' : 'it was not on the disk yet'
  })
  if (!faults.includes(''))
    on.complain(STATEMENT, `${what} was acknowledged: ${faults.join(' | ') || 'none is journaled'}`)
}

/** An acknowledged close: the trade has ended as told, and that was on the disk. */
export const checkClosed = (
  on: Case,
  call: Answered,
  request: Of<'close-trade'>,
  told: ClosedTrade,
  id: string | null,
): void => {
  const found = lifeAt(on, request.tradeId)
  const end = found?.life.end ?? null
  if (found === null || end === null || told.tradeId !== request.tradeId)
    return on.complain(
      STATEMENT,
      `${callText(call)}: the close of ${request.tradeId} was acknowledged; it is ${found === null ? 'not there' : 'open'}`,
    )
  const { life, book, partition } = found
  const { pnl, exitPrice, funding, returned, fee, closedAt, fundingAt, closedIn } = end
  const expected = {
    ...sharedFields(tradeAfter(life)),
    pnl,
    exitPrice,
    funding,
    fundingCost: funding,
    returned,
    fees: life.trade.openFee + fee,
    closedAtMs: Number(closedAt),
  }
  const wrong = differences({ ...told }, expected)
  if (wrong !== '' || reasonNumber(told.reason) !== end.reason)
    on.complain(STATEMENT, `${callText(call)}: the close of ${told.tradeId}: ${wrong} (reason ${told.reason})`)
  else if (!isLiquidationPrice(life.trade, told.liquidationPrice ?? 0n, fundingAt, book.terms?.tickSize ?? 1n))
    on.complain(STATEMENT, `${callText(call)}: the close of ${told.tradeId}: liquidationPrice ${told.liquidationPrice}`)
  if (id !== null && book.memory.first(id)?.code !== 0)
    on.complain(STATEMENT, `${callText(call)}: no close of ${told.tradeId} by ${id} is journaled`)
  if (!wasOnDisk(on, call, partition, closedIn))
    on.complain(
      STATEMENT,
      `${callText(call)}: the close of ${told.tradeId} was acknowledged before its record was on the disk`,
    )
}
