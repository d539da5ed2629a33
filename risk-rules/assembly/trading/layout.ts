/**
 * The records of a market in linear memory. The drawings are checked against the code by
 * `test/trading-layout.test.ts`:
 * each line is `offset name type`.
 */

/**
 * Market: one, at the start of the state. Everything before `highWater` is hashed.
 *
 *     0 state u32
 *     4 specified u32
 *     8 funding i64
 *    16 nextFunding i64
 *    24 firstTickAt i64
 *    32 quantityMax i64
 *    40 netQuantity i64
 *    48 marginSumLow u64
 *    56 marginSumHigh i64
 *    64 lastNumber u64
 *    72 openCount u32
 *    76 pendingCount u32
 *    80 pendingBid i64
 *    88 pendingAsk i64
 *    96 lastTable u32
 *   100 currentTable u32
 *   104 tickSize i64
 *   112 lotSize i64
 *   120 minMargin i64
 *   128 maxNotional i64
 *   136 maxNetNotional i64
 *   144 maxOpenTrades u32
 *   148 maxLeverage u32
 *   152 openBps i64
 *   160 closeBps i64
 *   168 liquidationBps i64
 *   176 spreadBps i64
 *   184 fundingRateBps i64
 *   192 fundingCapBps i64
 *   200 maxAgeMs i64
 *   208 fundingIntervalSeconds u32
 *   212 specState u32
 *   216 quoteCurrency u64
 *   224 house u64
 *   232 houseRest u64
 *   240 fees u64
 *   248 feesRest u64
 *   256 clearing u64
 *   264 clearingRest u64
 *   272 insurance u64
 *   280 insuranceRest u64
 *   288 insurancePartition u32
 *   292 marketNumber u32
 *   296 partitionIndex u32
 *   300 specCapacity u32
 *   304 reserved u32
 *   308 tierCount u32
 *   312 highWater u32
 *   316 currentTableSlot u32
 *   320 freeSlot u32
 *   324 zero u32
 *   328 end
 *
 * marginSum: sum of the open trades' margins, 128 bits. quantityMax: the largest quantity ever opened.
 * pending…: what the running tick has still to close, and its quote. From tickSize to tierCount lie the bytes
 * of SPEC as they came. highWater: slots of the trade table ever used; freeSlot: the free one to take next + 1, 0 = a new one.
 * A table number is never used twice; a slot of the table of tables is.
 */
@unmanaged
export class Market {
  state: u32
  specified: u32
  funding: i64
  nextFunding: i64
  firstTickAt: i64
  quantityMax: i64
  netQuantity: i64
  marginSumLow: u64
  marginSumHigh: i64
  lastNumber: u64
  openCount: u32
  pendingCount: u32
  pendingBid: i64
  pendingAsk: i64
  lastTable: u32
  currentTable: u32
  tickSize: i64
  lotSize: i64
  minMargin: i64
  maxNotional: i64
  maxNetNotional: i64
  maxOpenTrades: u32
  maxLeverage: u32
  openBps: i64
  closeBps: i64
  liquidationBps: i64
  spreadBps: i64
  fundingRateBps: i64
  fundingCapBps: i64
  maxAgeMs: i64
  fundingIntervalSeconds: u32
  specState: u32
  quoteCurrency: u64
  house: u64
  houseRest: u64
  fees: u64
  feesRest: u64
  clearing: u64
  clearingRest: u64
  insurance: u64
  insuranceRest: u64
  insurancePartition: u32
  marketNumber: u32
  partitionIndex: u32
  specCapacity: u32
  reserved: u32
  tierCount: u32
  highWater: u32
  currentTableSlot: u32
  freeSlot: u32
  zero: u32
}

/**
 * Trade: all there is to know of an open trade, as it is worked with. Everything before `liquidationKey` is hashed, the
 * rest is derived.
 *
 *     0 number u64
 *     8 account u64
 *    16 accountRest u64
 *    24 openId u64
 *    32 openIdRest u64
 *    40 ledgerPartition u32
 *    44 leverage u32
 *    48 margin i64
 *    56 quantity i64
 *    64 entryPrice i64
 *    72 fundingAtOpen i64
 *    80 stopLoss i64
 *    88 takeProfit i64
 *    96 openFee i64
 *   104 openedAt i64
 *   112 direction u32
 *   116 table u32
 *   120 liquidationKey i64
 *   128 tableSlot u32
 *   132 zero u32
 *   136 end
 *
 * liquidationKey: the liquidation price at today's F, below 0 = never (long).
 */
@unmanaged
export class Trade {
  number: u64
  account: u64
  accountRest: u64
  openId: u64
  openIdRest: u64
  ledgerPartition: u32
  leverage: u32
  margin: i64
  quantity: i64
  entryPrice: i64
  fundingAtOpen: i64
  stopLoss: i64
  takeProfit: i64
  openFee: i64
  openedAt: i64
  direction: u32
  table: u32
  liquidationKey: i64
  tableSlot: u32
  zero: u32
}

/**
 * Stored: a slot of the trade table, as small as a million of them should be. What a heap orders by (liquidation price, stop,
 * target) is in the heap's node alone, and where its nodes are in a table of its own (`placesAt` of `state.ts`): heaps that move
 * nodes touch that small table and no trades.
 *
 *     0 account u64
 *     8 accountRest u64
 *    16 openId u64
 *    24 openIdRest u64
 *    32 margin i64
 *    40 quantity i64
 *    48 entryPrice i64
 *    56 fundingAtOpen i64
 *    64 openFee i64
 *    72 openedAt i64
 *    80 identity u64
 *    88 terms u32
 *    92 next u32
 *    96 previous u32
 *   100 end
 *
 * identity: number (42 bits) | leverage (10) << 42 | first of its account << 52 | last of its account << 53; 0 = free slot.
 * terms: the ledger partition but for its first byte (24 bits) | slot of the tier table (6) << 24 | direction << 30.
 * next, previous: slot + 1 of the account's neighbours in opening order. The first one's previous is the last one, the last one's
 * next the number of the account's trades. next of a free slot: the next free one.
 */
@unmanaged
export class Stored {
  account: u64
  accountRest: u64
  openId: u64
  openIdRest: u64
  margin: i64
  quantity: i64
  entryPrice: i64
  fundingAtOpen: i64
  openFee: i64
  openedAt: i64
  identity: u64
  terms: u32
  next: u32
  previous: u32
}

/**
 * Table: a tier table. Everything before `references` is hashed. At `tiers` lie 16 tiers of 24 bytes as SPEC
 * has them (floor i64, rate i64, maxLeverage u32, zero u32), at `continuity` their 16 c (i64), which follow
 * from them.
 *
 *     0 number u32
 *     4 count u32
 *     8 tiers u64
 *   392 references u32
 *   396 zero u32
 *   400 continuity i64
 *   528 end
 */
export const TABLE_TIERS: usize = 8
export const TABLE_REFERENCES: usize = 392
export const TABLE_CONTINUITY: usize = 400
export const TABLE_BYTES: usize = 528
export const TIER_BYTES: usize = 24

export const MARKET_HASHED_BYTES: u32 = 312
export const MARKET_BYTES: usize = 328
export const SPEC_OFFSET: usize = 104
export const SPEC_BYTES: u32 = 208
export const TRADE_HASHED_BYTES: u32 = 120
export const TRADE_BYTES: usize = 136
export const STORED_BYTES: usize = 100

if (offsetof<Market>() != 328 || offsetof<Market>('highWater') != 312 || offsetof<Market>('tickSize') != 104) {
  ERROR('the market is not as drawn')
}
if (offsetof<Trade>() != 136 || offsetof<Trade>('liquidationKey') != 120) ERROR('the trade is not as drawn')
if (offsetof<Stored>() != 100 || offsetof<Stored>('identity') != 80) ERROR('the stored trade is not as drawn')

/** Bodies on the border: `src/trading/{commands,outcomes,queries}.ts`; a test compares. */
export const OPEN_BODY_BYTES: u32 = 96
export const CLOSE_BODY_BYTES: u32 = 56
export const UPDATE_BODY_BYTES: u32 = 64
export const TICK_BODY_BYTES: u32 = 40
export const FUNDING_BODY_BYTES: u32 = 24
export const STATE_BODY_BYTES: u32 = 8
export const OPEN_TRADE_BYTES: u32 = 128
export const CLOSED_TRADE_BYTES: u32 = 184
export const UPDATED_TRADE_BYTES: u32 = 136
export const LIST_HEAD_BYTES: u32 = 24
export const KEPT_BYTES: u32 = 48
