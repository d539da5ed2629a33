import { createMemoryPrices } from '../../src/adapters/embedded/prices.ts'
import type { Prices } from '../../src/ports/prices.ts'
import { pricesContract } from '../../src/testkit/contracts/prices.contract.ts'
import type { Opened } from '../../src/testkit/contracts/scenario.ts'

const open = async (): Promise<Opened<Prices>> => ({ port: createMemoryPrices(), destroy: async () => undefined })

pricesContract({ name: 'prices in memory', open })
pricesContract({ name: 'prices in memory', open, faults: ['twice'] })
pricesContract({ name: 'prices in memory', open, faults: ['forgets', 'twice'] })
