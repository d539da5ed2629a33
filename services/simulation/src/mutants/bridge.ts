import { lines, type Mutant } from './mutant.ts'

const BRIDGE = 'services/bridge/src'

/** Bugs of the bridge between banks, ledger and exchange. */
export const bridgeMutants: readonly Mutant[] = [
  {
    name: 'quote-used-twice',
    what: 'a quote that a trade has used up can be used by another',
    file: `${BRIDGE}/machine/accept.ts`,
    find: '  if (quote.used)\n',
    replace: '  if (quote.used && now < 0n)\n',
  },
  {
    name: 'expired-quote-accepted',
    what: 'a quote is good after it has expired',
    file: `${BRIDGE}/machine/accept.ts`,
    find: '  if (quote.expiresAt <= now)\n',
    replace: '  if (quote.expiresAt + 600_000n <= now)\n',
  },
  {
    name: 'unknown-order-sent-again',
    what: 'an order whose answer was lost is sent again under another id instead of asked for',
    file: `${BRIDGE}/host/execute-order.ts`,
    find: "    if (result.kind === 'filled' || result.kind === 'rejected') return result\n  } else if",
    replace: lines(
      "    if (result.kind === 'filled' || result.kind === 'rejected') return result",
      '    const again = await deps.liquidity.place({ ...order, clientOrderId: `${clientOrderId}-2` }, signal)',
      "    if (again.kind === 'filled' || again.kind === 'rejected') return again",
      '  } else if',
    ),
  },
  {
    name: 'absent-order-believed-at-once',
    what: 'an order the exchange does not know yet counts as never arriving',
    file: `${BRIDGE}/host/execute-order.ts`,
    find: "    if (result.kind === 'absent' && isCertain) return result",
    replace: "    if (result.kind === 'absent') return result",
  },
  {
    name: 'reversal-not-sent',
    what: 'a bank that authorized a trade that fails is not told',
    file: `${BRIDGE}/machine/saga.ts`,
    find: '  if (transaction.authorizationCalled) {',
    replace: "  if (transaction.authorizationCalled && code !== 'INSUFFICIENT_LIQUIDITY') {",
  },
  {
    name: 'failed-trade-not-released',
    what: 'a trade that fails after its hold keeps the customer’s money locked',
    file: `${BRIDGE}/machine/saga.ts`,
    find: '  const held = transaction.step === steps.authorizing || transaction.step === steps.ordering',
    replace: '  const held = transaction.step === steps.authorizing',
  },
  {
    name: 'event-forgotten-after-restart',
    what: 'events of a bank that wait for delivery are not in the snapshot',
    file: `${BRIDGE}/machine/snapshot.ts`,
    find: '  writer.list([...bank.events], ([sequence, event]) => {',
    replace: '  writer.list([...bank.events].slice(0, 1), ([sequence, event]) => {',
  },
  {
    name: 'crypto-rounded-towards-the-customer',
    what: 'the crypto of a buy is rounded up to the lot',
    file: `${BRIDGE}/machine/pricing.ts`,
    find: 'divFloor(fiat * UNITS_PER_WHOLE, price * lot) * lot',
    replace: 'divCeil(fiat * UNITS_PER_WHOLE, price * lot) * lot',
  },
  {
    name: 'fill-not-booked',
    what: 'what the exchange executed is not booked when it differs from what was ordered',
    file: `${BRIDGE}/codec/legs.ts`,
    find: lines(
      "    system('exchange', '', cryptoCurrency, -sign * executedQuantity),",
      "    system('house', symbol, cryptoCurrency, sign * (executedQuantity - cryptoAmount)),",
    ),
    replace: "    system('exchange', '', cryptoCurrency, -sign * cryptoAmount),",
  },
  {
    name: 'daily-limit-not-given-back',
    what: 'a trade that failed still counts against the customer’s daily limit',
    file: `${BRIDGE}/machine/accept.ts`,
    find: '  if (fiat === 0n || bank.day !== dayOf(createdAt)) return\n  bank.dayTotal -= fiat',
    replace: '  if (fiat !== -1n || bank.day !== dayOf(createdAt)) return\n  bank.dayTotal -= fiat',
  },
]
