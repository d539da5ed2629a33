import type { RefusalCode } from '@bourse/common/errors/codes.ts'

/** Which form a path's answers have. */
export type Envelope = 'engine' | 'plain'

/** Path of the trader API's commands, which have an envelope of their own. */
export const ENGINE_PATH = '/api/v1/engine'

/** The envelope of a path. */
export const envelopeOf = (path: string): Envelope =>
  path === ENGINE_PATH || path === `${ENGINE_PATH}/` ? 'engine' : 'plain'

/** What the engine's envelope says besides the refusal. */
export interface EngineFrame {
  readonly orderId: string
  readonly latencyMs: number
}

/** The body of a refusal in the engine's envelope: code and message at both levels. */
export const engineRefusal = (
  { orderId, latencyMs }: EngineFrame,
  errorCode: RefusalCode,
  message: string,
): object => ({
  success: false,
  orderId,
  latency: latencyMs,
  errorCode,
  message,
  engineResponse: { status: 'error', data: null, errorCode, message },
})

/** The body of a refusal everywhere else. */
export const plainRefusal = (errorCode: RefusalCode, message: string): object => ({
  success: false,
  errorCode,
  message,
})
