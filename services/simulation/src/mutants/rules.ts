import { lines, type Mutant } from './mutant.ts'

const LEDGER = 'risk-rules/assembly/ledger'
const TRADING = 'risk-rules/assembly/trading'
const SHARED = 'risk-rules/assembly/shared'

/** Bugs of the machines that are compiled to WASM. */
export const rulesMutants: readonly Mutant[] = [
  {
    name: 'ids-missing-after-restart',
    what: 'a restored machine has forgotten which ids it has executed',
    file: `${SHARED}/id-table.ts`,
    find: '  store<u32>(base, <u32>(bytes / entryBytesOf(base)), 20)\n  indexAll(base)',
    replace: '  store<u32>(base, <u32>(bytes / entryBytesOf(base)), 20)',
  },
  {
    name: 'repeated-posting-executed',
    what: 'a posting that is repeated under its id is booked again',
    file: `${LEDGER}/apply.ts`,
    find: '    if (entry != 0) return answerAgain(command, index, entry)',
    replace: '    if (entry != 0 && kind != 2) return answerAgain(command, index, entry)',
  },
  {
    name: 'conflict-ignored',
    what: 'the same key with another request is answered with the first one’s outcome',
    file: `${LEDGER}/apply.ts`,
    find: '  if (!idTableHashEquals(entry, commandHashPtr(command))) {',
    replace: '  if (commandKind(command) == 0) {',
  },
  {
    name: 'hold-not-released',
    what: 'a refused open keeps the hold of its fee',
    file: `${TRADING}/effects.ts`,
    find: '  hold(openId, 0)\n  hold(openId, 1)',
    replace: '  hold(openId, 0)',
  },
  {
    name: 'fee-rounded-towards-the-customer',
    what: 'fees are rounded down',
    file: `${TRADING}/rules.ts`,
    find: '  low = divideCeil128(low, <i64>high128, BPS_MAX)\n  low = divideCeil128(low, <i64>high128, WHOLE)',
    replace: '  low = divideFloor128(low, <i64>high128, BPS_MAX)\n  low = divideFloor128(low, <i64>high128, WHOLE)',
  },
  {
    name: 'profit-rounded-towards-the-customer',
    what: 'the profit of a close is rounded up',
    file: `${TRADING}/rules.ts`,
    find: '  settledPnl = mulDivFloor(trade.quantity, gain, WHOLE)',
    replace: '  settledPnl = mulDivCeil(trade.quantity, gain, WHOLE)',
  },
  {
    name: 'liquidation-after-stop',
    what: 'a trade that is liquidated and stopped by one tick closes by its stop',
    file: `${TRADING}/tick.ts`,
    find: lines(
      '  for (let group: u32 = 0; group <= GROUP_TARGET; group++) {',
      '    count = collect(group, LONG, count)',
      '    count = collect(group, SHORT, count)',
      '  }',
    ),
    replace: lines(
      '  for (let turn: u32 = 1; turn <= GROUP_TARGET + 1; turn++) {',
      '    const group = turn % (GROUP_TARGET + 1)',
      '    count = collect(group, LONG, count)',
      '    count = collect(group, SHORT, count)',
      '  }',
    ),
  },
  {
    name: 'liquidation-missed-at-the-price',
    what: 'a trade whose liquidation price is met exactly stays open',
    file: `${TRADING}/tick.ts`,
    find: '  return heapKey(group, direction, closingPrice(direction))',
    replace: '  return heapKey(group, direction, closingPrice(direction)) - 1',
  },
  {
    name: 'funding-twice',
    what: 'each funding instant is applied two times',
    file: `${TRADING}/funding.ts`,
    find: '  const instants = addChecked(1, subChecked(time / interval, due / interval))',
    replace: '  const instants = addChecked(2, subChecked(time / interval, due / interval))',
  },
  {
    name: 'insurance-refund-doubled',
    what: 'the insurance fund is asked for the double of a deficit',
    file: `${TRADING}/effects.ts`,
    find: "  leg(owner(offsetof<Market>('insurance')), ACCOUNT_INSURANCE, deficit)",
    replace: "  leg(owner(offsetof<Market>('insurance')), ACCOUNT_INSURANCE, addChecked(deficit, deficit))",
  },
  {
    name: 'liquidation-fee-not-sent-on',
    what: 'the fee of a liquidation stays in clearing',
    file: `${TRADING}/effects.ts`,
    find: '  else if (reason == REASON_LIQUIDATION && fee > 0) slipBytes = liquidationFee(slip, trade.number, fee)',
    replace: '',
  },
  {
    name: 'replaced-stop-still-fires',
    what: 'a trade that gets another stop keeps the old one beside it',
    file: `${TRADING}/trades.ts`,
    find: '  heapRemove(heap, slot)\n  if (price != 0)',
    replace: '  if (price == 0) heapRemove(heap, slot)\n  if (price != 0)',
  },
  {
    name: 'kept-stop-judged-as-none',
    what: 'an update that leaves the stop as it is takes it away',
    file: `${TRADING}/update.ts`,
    find: '  if (stop != KEEP) setTrigger(GROUP_STOP, ownSlot, stop)',
    replace: '  setTrigger(GROUP_STOP, ownSlot, max<i64>(stop, 0))',
  },
  {
    name: 'update-not-told',
    what: 'the owner’s ledger hears nothing of other stops, so that the event is missing',
    file: `${TRADING}/update.ts`,
    find: '  emitUpdated(commandIndex, trade)',
    replace: '  if (trade.number == 0) emitUpdated(commandIndex, trade)',
  },
  {
    name: 'slip-dropped',
    what: 'a hold that carries a command on does not send it',
    file: `${LEDGER}/apply.ts`,
    find: '  if (code == CODE_OK && slipTargetOf(command) != 0) effectWrite(slipTargetOf(command), index, slipOf(command))',
    replace: lines(
      '  const target = kind == HOLD ? 0 : slipTargetOf(command)',
      '  if (code == CODE_OK && target != 0) effectWrite(target, index, slipOf(command))',
    ),
  },
]
