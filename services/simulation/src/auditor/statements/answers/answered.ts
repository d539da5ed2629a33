import type { Call, Request } from '../../../history/history.ts'

/** The statement that every answer given is still true at the end. */
export const ANSWERS_STILL_TRUE = 'answers-still-true'

/** A request of one kind. */
export type Of<Kind extends Request['kind']> = Extract<Request, { readonly kind: Kind }>

/** A call that was answered. */
export type Answered = Call & { readonly answer: NonNullable<Call['answer']> }

/** What a key makes of a request: the command's id and the hash of what was asked, in hex. */
export interface Identity {
  readonly id: string
  readonly requestHash: string
}
