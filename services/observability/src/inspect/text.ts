import { formatAmount } from '@bourse/common/money/amount.ts'
import type { Step } from './arithmetic.ts'
import type { ExplainedPart, TradeExplanation } from './explanation.ts'
import type { Posting } from './postings.ts'
import type { ShownCommand, ShownEffect, ShownRecord } from './record.ts'
import { moment, type Shown } from './show.ts'

type ShownFields = Readonly<Record<string, Shown>>

const isFields = (value: Shown): value is ShownFields =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
/** Lists of plain values go in one piece. */
const plainText = (value: Shown): string | null => {
  if (isFields(value)) return null
  if (!Array.isArray(value)) return String(value)
  return value.some((item) => typeof item === 'object' && item !== null) ? null : value.join(', ')
}
const saysNothing = (value: Shown): boolean =>
  value === null || value === '' || (Array.isArray(value) && value.length === 0)

/** `name value` of every field that says something, in one line. */
const fieldsText = (fields: ShownFields): string =>
  Object.entries(fields)
    .flatMap(([name, value]) => {
      const text = saysNothing(value) ? null : plainText(value)
      return text === null ? [] : [`${name} ${text}`]
    })
    .join('  ')

/** What has fields of its own, each in a line below. */
const partsText = (indent: number, fields: ShownFields): string =>
  Object.entries(fields)
    .flatMap(([name, value]) =>
      Array.isArray(value) ? value.map((item) => [name, item] as const) : [[name, value] as const],
    )
    .map(([name, value]: readonly [string, Shown]) =>
      isFields(value) ? line(indent, `${name}: ${fieldsText(value)}`) + partsText(indent + 2, value) : '',
    )
    .join('')

const allText = (indent: number, fields: ShownFields): string =>
  line(indent, fieldsText(fields)) + partsText(indent, fields)

const line = (indent: number, text: string): string => (text === '' ? '' : `${' '.repeat(indent)}${text}\n`)

const commandText = ({ kind, id, from, fields, code, outcome, faulted }: ShownCommand): string =>
  line(2, `${kind}  from ${from}${id === null ? '' : `  id ${id}`}${faulted ? '  FAULTED' : ''}`) +
  allText(4, fields) +
  line(4, `→ ${code}  ${fieldsText(outcome)}`.trimEnd()) +
  partsText(6, outcome)

const effectText = ({ to, number, kind, id, fields }: ShownEffect): string =>
  line(2, `effect ${number} → ${to}: ${kind}${id === null ? '' : `  id ${id}`}`) + allText(4, fields)

/** A record for people. */
export const recordText = ({ partition, sequence, at, behaviour, commands, effects }: ShownRecord): string =>
  line(0, `${at}  ${partition} #${sequence}  behaviour ${behaviour}`) +
  commands.map(commandText).join('') +
  effects.map(effectText).join('')

const stepText = ({ what, formula, numbers, result, journal, agrees }: Step): string =>
  line(4, `${what} = ${formula}`) +
  line(6, `= ${numbers}`) +
  line(6, `= ${result}${agrees ? `   (journal: ${journal})` : `   DISAGREES with the journal: ${journal}`}`)

const partText = (title: string, { at, record, inputs, steps, reference }: ExplainedPart): string =>
  line(0, `${title}  ${at}  ${record}`) +
  line(4, fieldsText(inputs)) +
  steps.map(stepText).join('') +
  line(4, `reference: ${reference.reference}${reference.agrees ? '' : '   DISAGREES'}`)

const postingText = ({
  partition,
  sequence,
  now,
  kind,
  transactionType,
  code,
  transactionNumber,
  legs,
}: Posting): string =>
  line(
    4,
    `${moment(now)}  ${partition} #${sequence}  ${kind}${transactionType === null ? '' : ` ${transactionType}`} → ${code}` +
      (transactionNumber === null ? '' : ` transaction ${transactionNumber}`),
  ) +
  legs
    .map(({ kind: account, currency, amount, balanceAfter }) =>
      line(
        6,
        `${account.padEnd(10)} ${formatAmount(amount).padStart(20)} ${currency}` +
          (balanceAfter === null ? '' : `   balance ${formatAmount(balanceAfter)}`),
      ),
    )
    .join('')

/** A trade's explanation for people. */
export const explanationText = (trade: TradeExplanation): string =>
  line(
    0,
    `${trade.tradeId}  ${trade.direction}  ${trade.status}${trade.reason === null ? '' : ` by ${trade.reason}`}`,
  ) +
  partText('opened', trade.opening) +
  trade.updates.map((part) => partText('updated', part)).join('') +
  (trade.now === null ? '' : line(0, 'still open') + stepText(trade.now)) +
  (trade.closing === null ? '' : partText('closed', trade.closing)) +
  line(0, 'ledger') +
  trade.postings.map(postingText).join('') +
  stepText(trade.money) +
  line(0, trade.agrees ? 'recomputed: every number agrees' : 'recomputed: NOT every number agrees, see DISAGREES above')
