/** Runs the mock exchange alone. `BOURSE_MOCK_EXCHANGE_PORT` (3001), `BOURSE_HOST`, `BOURSE_DATA_DIR`. */
import { createSystemClock } from '@bourse/common/adapters/system/clock.ts'
import { runSimulator } from '@bourse/common/simulator/main.ts'
import { startMockExchange } from './service.ts'

await runSimulator({
  name: 'mock-exchange',
  portVariable: 'BOURSE_MOCK_EXCHANGE_PORT',
  portDefault: 3001,
  clock: createSystemClock(),
  start: startMockExchange,
})
