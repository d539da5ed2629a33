import { refuse, type Result } from '../errors/codes.ts'
import { PortError } from '../ports/failure.ts'

/** A client of the command layer: every call answers with a value or a refusal. */
type Calls<Client> = {
  readonly [Name in keyof Client]: (...values: never[]) => Promise<Result<unknown>>
}

/**
 * The same client, refusing `UNAVAILABLE` where a port (the views, a bus) fails beneath it: the request may have been executed,
 * repeating it with the same key tells. Everything else that is thrown is a bug and stays one.
 */
export const refusingPortFailures = <Client extends Calls<Client>>(client: Client): Client => {
  const guarded = Object.entries<Calls<Client>[keyof Client]>(client).map(([name, call]) => [
    name,
    async (...values: never[]): Promise<Result<unknown>> => {
      try {
        return await call(...values)
      } catch (error) {
        if (!(error instanceof PortError)) throw error
        return refuse('UNAVAILABLE', `a part of the platform does not answer (${error.kind}); try again`, 1)
      }
    },
  ])
  return Object.fromEntries(guarded) as Client
}
