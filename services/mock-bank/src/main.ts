/**
 * Runs the mock bank alone. `BOURSE_MOCK_BANK_PORT` (3002), `BOURSE_HOST`, `BOURSE_DATA_DIR`,
 * `BOURSE_MOCK_BANK_WEBHOOK_SECRETS` (comma separated; without it secrets come through `PUT /control`).
 */
import { createSystemClock } from '@bourse/common/adapters/system/clock.ts'
import { runSimulator } from '@bourse/common/simulator/main.ts'
import { startMockBank } from './service.ts'

const secretsText = process.env['BOURSE_MOCK_BANK_WEBHOOK_SECRETS'] ?? ''
const webhookSecrets = secretsText.split(',').filter((secret) => secret !== '')

await runSimulator({
  name: 'mock-bank',
  portVariable: 'BOURSE_MOCK_BANK_PORT',
  portDefault: 3002,
  clock: createSystemClock(),
  start: (options) => startMockBank({ ...options, webhookSecrets }),
})
