import { PortError } from '@bourse/common/ports/failure.ts'
import type { Views } from '@bourse/common/ports/views.ts'
import { bankEventModel } from '@bourse/common/views/models.ts'
import { storedEvent } from '../client/stored.ts'

/** Events of banks as they were sent for the first time. */
export interface StoredEvents {
  /** The body of an event, byte for byte; null while it can't be had. */
  body(bank: string, sequence: bigint): Promise<string | null>
}

/** Finds events in the views, which keep every one of them. */
export const createStoredEvents = (views: Pick<Views, 'get'>): StoredEvents => ({
  body: async (bank, sequence) => {
    try {
      const found = await views.get(bankEventModel, `${bank}:${sequence}`)
      return found === null ? null : JSON.stringify(storedEvent(found.payload).event)
    } catch (error) {
      // The views are away for a while: the event is asked for again.
      if (error instanceof PortError) return null
      throw error
    }
  },
})
