import { startSimulatorHarness, type SimulatorHarness } from '../../common/test/simulator/harness.ts'
import { startMockExchange } from '../src/service.ts'

/** Starts a mock exchange for a test. */
export const startExchangeHarness = (): Promise<SimulatorHarness> => startSimulatorHarness(startMockExchange)
