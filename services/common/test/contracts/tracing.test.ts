import { tracingContract } from '../../src/testkit/contracts/tracing.contract.ts'
import { createTracingKit } from '../telemetry/tracing-kit.ts'

tracingContract('OpenTelemetry', (ratio) => {
  const { tracer, spans } = createTracingKit(ratio)
  return { tracer, recorded: () => spans().map(({ name }) => name) }
})
