import { ok, refuse, type Result } from '@bourse/common/errors/codes.ts'
import type { Views } from '@bourse/common/ports/views.ts'
import { bankCustomerModel } from '@bourse/common/views/models.ts'
import type { BankCustomer, BankPage } from './types.ts'

const encodeCursor = (bankUserId: string): string => Buffer.from(bankUserId, 'utf8').toString('base64url')
const decodeCursor = (cursor: string): string => Buffer.from(cursor, 'base64url').toString('utf8')
const idOf = (bank: string, bankUserId: string): string => `${bank}:${bankUserId}`

/** A page of a bank's customers in the order of their ids; the cursor is the last one's id. */
export const readCustomers = async (
  views: Pick<Views, 'find'>,
  bank: string,
  { cursor, limit, asOfMs }: { readonly cursor: string | null; readonly limit: number; readonly asOfMs: number },
): Promise<Result<BankPage<BankCustomer>>> => {
  const lastId = cursor === null ? null : decodeCursor(cursor)
  if (lastId !== null && (lastId === '' || encodeCursor(lastId) !== cursor))
    return refuse('VALIDATION_ERROR', 'cursor is not one that a page has given')
  const after = lastId === null ? null : idOf(bank, lastId)
  const found = await views.find(bankCustomerModel, {
    filter: { bank },
    sortBy: '_id',
    direction: 'ascending',
    ...(after === null ? {} : { after: { sortValue: after, id: after } }),
    limit: limit + 1,
  })
  const page = found.slice(0, limit)
  const last = page.at(-1)
  return ok({
    items: page.map(({ bankUserId, kycLevel, createdAtMs }) => ({ bankUserId, kycLevel, createdAtMs })),
    nextCursor: found.length > page.length && last !== undefined ? encodeCursor(last.bankUserId) : null,
    asOfMs,
  })
}
