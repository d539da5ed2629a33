import type { Mutant } from './mutant.ts'

const KERNEL = 'services/common/src/kernel'

/** Bugs that the product had once, each planted again: the seeds that find them are in `regressions.ts`. */
export const foundMutants: readonly Mutant[] = [
  {
    name: 'idle-owner-never-looks',
    what: 'an owner that nobody asks anything never hears that another one has appended',
    file: `${KERNEL}/runner-types.ts`,
    find: 'export const OWNERSHIP_CHECK_MS = 5_000\n',
    replace: 'export const OWNERSHIP_CHECK_MS = 5_000_000_000\n',
  },
  {
    name: 'unclear-order-refused',
    what: 'a bank is told that an order was not accepted when nobody knows',
    file: 'services/bridge/src/client/orders.ts',
    find: '  if (taken.isOpen) return awaitEnd(',
    replace: '  if (taken.isOpen) return taken\n  if (taken.isOpen) return awaitEnd(',
  },
  {
    name: 'port-failure-thrown',
    what: 'clients throw when the views do not answer, instead of refusing',
    file: 'services/common/src/platform/refusing.ts',
    find: '        if (!(error instanceof PortError)) throw error\n',
    replace: '        if (error instanceof Error) throw error\n',
  },
  {
    name: 'close-of-nothing-takes-no-key',
    what: 'a keyed close of a trade that is nowhere leaves its key to any other request',
    file: 'services/trading/src/client/trading-client.ts',
    find: "    if (!identity.keyed) return tradingRefusal('TRADE_NOT_FOUND')\n    const { id, requestHash }",
    replace: "    if (topology !== null) return tradingRefusal('TRADE_NOT_FOUND')\n    const { id, requestHash }",
  },
  {
    name: 'correction-known-by-the-views-only',
    what: 'whether a transaction was corrected is looked up in the views: two requests at once both book it',
    file: 'services/ledger/src/client/ledger-client.ts',
    find: [
      '    for (let attempt = 0; attempt < CORRECTION_ATTEMPTS_MAX; attempt++) {',
      '      const own = { id: derivedId(reference, `correction:${attempt}`),',
    ].join('\n'),
    replace: [
      "    const { ledgerTransactionModel } = await import('@bourse/common/views/models.ts')",
      "    const ownId = derivedId(identity.id, 'correction')",
      '    const others = await views.find(ledgerTransactionModel, {',
      "      filter: { reference: hexOf(reference) }, sortBy: 'atMs', direction: 'ascending', limit: 100,",
      '    })',
      '    const { CORRECTION } = transactionTypes',
      '    if (others.some((one) => one.transactionType === CORRECTION && one.commandId !== hexOf(ownId)))',
      "      return refuse('IDEMPOTENCY_CONFLICT', 'corrected before')",
      '    for (let attempt = 0; attempt < CORRECTION_ATTEMPTS_MAX; attempt++) {',
      '      const own = { id: ownId,',
    ].join('\n'),
  },
]
