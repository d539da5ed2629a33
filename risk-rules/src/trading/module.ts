import { loadWasmModule } from '../host/module.ts'

/**
 * Reads and compiles the trading module `npm run build` made. It stands beside the machine, not in it: the machine itself
 * needs no Node module and runs in a browser, which fetches the same bytes.
 */
export const loadTradingModule = (): WebAssembly.Module => loadWasmModule('trading')
