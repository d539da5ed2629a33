import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** The machines that are WASM modules. */
export type WasmMachineName = 'ledger' | 'trading'

const bytesOf = (path: string): Uint8Array<ArrayBuffer> => {
  try {
    return new Uint8Array(readFileSync(path))
  } catch (error) {
    throw new Error(`${path} is missing; npm run build makes it`, { cause: error })
  }
}

/**
 * Reads and compiles a machine that `npm run build` made. Compiling takes milliseconds and the module is
 * immutable: load once, instantiate for each partition.
 */
export const loadWasmModule = (name: WasmMachineName): WebAssembly.Module =>
  new WebAssembly.Module(bytesOf(fileURLToPath(new URL(`../../build/${name}.wasm`, import.meta.url))))
