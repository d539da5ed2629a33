import type { ReactNode } from 'react'
import { Bar } from '../design/bar.tsx'
import { Shown } from '../design/shown.tsx'
import { Banner, Fact, Facts, Panel, Text } from '../design/surfaces.tsx'
import { Table } from '../design/table.tsx'
import { useNow } from '../design/use-now.ts'
import { formatBps, formatMoney, formatPrice, signOf } from '../format/decimal.ts'
import { formatDateTime, formatTime } from '../format/time.ts'
import { useSelf } from './desk.ts'
import { explain } from './desk-words.ts'
import { keyAgeOf } from './key-age.ts'
import { useOfLimit } from './limits.ts'
import type { BankPair, BankSelf } from './shapes.ts'

const Limits = ({ self: { limits, asOf } }: { readonly self: BankSelf }) => {
  const { currency, usedToday, dailyAmount, dailyAmountPerCustomer, requestsPerSecond, day } = limits
  const use = useOfLimit(usedToday, dailyAmount)
  const used = formatMoney(usedToday, currency)
  return (
    <Panel
      title="Limits"
      aside={
        <span className="soft small">
          UTC day {day}, as of {formatTime(asOf)}
        </span>
      }
    >
      {use === null || dailyAmount === null ? (
        <p data-testid="limit-words">{used} bought and sold today. The bank has no daily limit.</p>
      ) : (
        <div data-testid="limit-words">
          <Bar
            label="Daily limit used"
            percent={use.percent}
            tone={use.tone}
            words={`${used} of ${formatMoney(dailyAmount, currency)} used today; ${formatMoney(use.left, currency)} left`}
          />
        </div>
      )}
      <Facts>
        <Fact name="Each customer, a day">
          {dailyAmountPerCustomer === null ? 'no limit' : formatMoney(dailyAmountPerCustomer, currency)}
        </Fact>
        <Fact name="Requests a second">{requestsPerSecond}</Fact>
      </Facts>
      <p className="soft small">
        The fiat of buys and sells counts from when a trade is accepted, and is given back when it fails. Deposits and
        withdrawals do not count.
      </p>
    </Panel>
  )
}

const Key = ({ self: { key } }: { readonly self: BankSelf }) => {
  const now = useNow(60_000)
  const age = keyAgeOf(key, now)
  return (
    <Panel title="API key">
      {age.tone === 'good' ? (
        <p>
          <strong>{age.title}.</strong> {age.what}
        </p>
      ) : (
        <Banner tone={age.tone} title={age.title}>
          {age.what}
        </Banner>
      )}
      <Facts>
        <Fact name="Made">
          <Text>{key.createdAt === null ? 'unknown' : formatDateTime(key.createdAt)}</Text>
        </Fact>
        <Fact name="Ends">
          <Text>{key.expiresAt === null ? 'when it is replaced' : formatDateTime(key.expiresAt)}</Text>
        </Fact>
      </Facts>
    </Panel>
  )
}

const amountUpTo = ({ maxAmount, quoteAsset }: BankPair): ReactNode =>
  signOf(maxAmount) === 0 ? 'no limit' : formatMoney(maxAmount, quoteAsset)

const Pairs = ({ self: { pairs, quotes } }: { readonly self: BankSelf }) => (
  <Panel
    title="What your customers trade"
    aside={
      <span className="soft small">
        A quote holds for {quotes.ttlSeconds} s and may slip by {formatBps(quotes.slippageBps)}
      </span>
    }
  >
    <Table
      caption="Pairs"
      rows={pairs}
      keyOf={({ symbol }) => symbol}
      columns={[
        { name: 'Pair', cell: ({ baseAsset, quoteAsset }) => `${baseAsset} for ${quoteAsset}` },
        { name: 'Spread', numeric: true, cell: ({ spreadBps }) => formatBps(spreadBps) },
        { name: 'From', numeric: true, cell: ({ minAmount, quoteAsset }) => formatMoney(minAmount, quoteAsset) },
        { name: 'Up to', numeric: true, cell: amountUpTo },
        {
          name: 'Price step',
          numeric: true,
          wideOnly: true,
          cell: ({ tickSize }) => formatPrice(tickSize, tickSize),
        },
        { name: 'Lot', numeric: true, wideOnly: true, cell: ({ lotSize }) => formatPrice(lotSize, lotSize) },
      ]}
    />
  </Panel>
)

/** The bank at a glance: state, limits and what is used of them, the key, the pairs. */
export const Overview = () => {
  const self = useSelf()
  return (
    <Shown what="the bank" asked={self} explain={explain} lines={6}>
      {(bank) => (
        <div className="stack bank-facts">
          <div className="bank-two">
            <Limits self={bank} />
            <Key self={bank} />
          </div>
          <Pairs self={bank} />
        </div>
      )}
    </Shown>
  )
}
