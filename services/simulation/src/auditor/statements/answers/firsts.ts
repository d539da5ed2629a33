import { hex } from '../../evidence/bytes.ts'
import type { Entry } from '../../evidence/journals.ts'
import type { Case } from '../case.ts'

/** First outcomes of an id at all partitions that know it. */
export const firstsOf = ({ books }: Case, id: string): readonly Entry[] =>
  [...books.markets.values(), ...books.ledgers.values()].flatMap(({ memory }) => memory.first(id) ?? [])

/** What became of the corrections that a request asked for: they carry its id as their hash. */
export const correctionsFor = ({ books }: Case, id: string): readonly Entry[] =>
  [...books.ledgers.values()].flatMap(({ memory }) =>
    [...memory.all().values()].filter(({ header }) => hex(header.requestHash) === id),
  )
