import type { Clock } from '@bourse/common/ports/clock.ts'
import type { Ids } from '@bourse/common/ports/ids.ts'
import { httpStatusOf } from '@bourse/common/errors/http.ts'
import { engineRefusal } from '../http/envelope.ts'
import { fieldsOf } from '../http/fields.ts'
import { uuidOfBytes } from '../http/identity.ts'
import { route, type Answer, type Route } from '../http/route.ts'
import type { HttpTelemetry } from '../http/telemetry.ts'
import type { OrderTelemetry } from '../metrics/orders.ts'
import type { Commands } from './commands.ts'
import { commandNames, engineSpec, type CommandName } from './specs.ts'

const commandOf = (text: string): CommandName => {
  const name = commandNames.find((known) => known === text)
  if (name === undefined) throw new Error(`command ${text} passed the schema`)
  return name
}

/** `POST /api/v1/engine`: all commands in their envelope. */
export const engineRoutes = (options: {
  readonly commands: Commands
  readonly telemetry: HttpTelemetry
  readonly orders: OrderTelemetry
  readonly clock: Clock
  readonly ids: Ids
}): readonly Route[] => {
  const { commands, telemetry, orders, clock, ids } = options
  return [
    route({
      spec: engineSpec,
      handle: async (request, session): Promise<Answer> => {
        if (request.body === null) throw new Error('the route has a body schema')
        const fields = fieldsOf(request.body)
        const command = commandOf(fields.text('command'))
        const { result, identity } = await orders.measure(command, request.receivedAtMs, () =>
          commands[command]({
            userId: session.userId,
            method: request.method,
            path: engineSpec.path,
            idempotencyKey: request.headers['x-idempotency-key'],
            fields,
          }),
        )
        // Follows from the command's id, so that a repeated key is answered with the same order id.
        const orderId = uuidOfBytes(identity?.id ?? ids.bytes16())
        const latencyMs = Math.max(0, Math.round(clock.monotonicMs() - request.receivedAtMs))
        if (result.ok) {
          const { data, message } = result.value
          return {
            status: 200,
            body: { success: true, orderId, latency: latencyMs, engineResponse: { status: 'success', data, message } },
          }
        }
        const { code, message, retryAfterSeconds } = result.refusal
        telemetry.refused(code)
        const seconds = retryAfterSeconds ?? (code === 'UNAVAILABLE' ? 1 : undefined)
        const status = httpStatusOf[code]
        const body = engineRefusal({ orderId, latencyMs }, code, message)
        return seconds === undefined ? { status, body } : { status, body, headers: { 'retry-after': String(seconds) } }
      },
    }),
  ]
}
