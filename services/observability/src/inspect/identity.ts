import { idOfName, transactionIdOf } from '@bourse/bridge/codec/identifiers.ts'
import { requestHashOf, commandIdentity } from '@bourse/common/platform/client-identity.ts'
import { bytesOfHex } from '@bourse/common/platform/identity.ts'
import { InspectFault } from './fault.ts'

/** Nothing but zeros is no id: they stand in every record. */
const HEX_ID = /^(?!0{32})[0-9a-f]{32}$/i
const UUID = '[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}'
const SCOPED = new RegExp(`^(?:(user:${UUID}:)|(bank:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?:)|(admin:))(${UUID})$`, 'i')

/** What bytes a command is found by, and what it is called. */
export interface CommandName {
  readonly text: string
  /** 16 bytes each: the command's id, and the transaction that a bank's command becomes. */
  readonly needles: readonly Uint8Array[]
}

const neverRandom = (): Uint8Array => {
  throw new RangeError('a command without a key has no id that could be derived')
}

/**
 * What the text names: an id (32 hex characters), a bank's transaction (`tx_…`), or an idempotency key with its scope
 * (`user:<user id>:<key>`, `bank:<name>:<key>`, `admin:<key>`).
 * @throws {InspectFault} when it is none of them
 */
export const commandNamed = (text: string): CommandName => {
  const transaction = idOfName('tx', text)
  if (transaction !== null) return { text, needles: [transaction] }
  if (HEX_ID.test(text)) {
    const id = bytesOfHex(text.toLowerCase())
    return { text, needles: [id, transactionIdOf(id)] }
  }
  const [, user, bank, admin, key] = SCOPED.exec(text) ?? []
  const scope = user?.toLowerCase() ?? bank ?? admin
  if (scope === undefined || key === undefined)
    throw new InspectFault(
      `'${text}' names no command; give its id (32 hex characters), a bank's transaction (tx_…), or a key with its scope: ` +
        'user:<user id>:<key>, bank:<name>:<key>, admin:<key>',
    )
  const ids = { bytes16: neverRandom, uuid: () => '' }
  const { id } = commandIdentity(ids, scope, key, requestHashOf('', '', {}))
  return { text, needles: [id, transactionIdOf(id)] }
}
