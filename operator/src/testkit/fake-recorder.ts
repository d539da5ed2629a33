import type { KubeObject, Recorder } from '../runtime/types.ts'

/** An event as a controller reported it. */
export type RecordedEvent = Parameters<Recorder['event']>[1] & { readonly about: KubeObject }

/** A recorder that keeps what it is told, oldest first. */
export const createFakeRecorder = (): Recorder & { readonly events: readonly RecordedEvent[] } => {
  const events: RecordedEvent[] = []
  return { events, event: (about, event) => void events.push({ ...event, about }) }
}
