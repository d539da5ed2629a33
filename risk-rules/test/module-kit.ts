/** What the modules' tests share: the border that every machine's module has. */

/** Exports of every machine's module, sorted. */
export const MACHINE_EXPORTS: readonly string[] = [
  'apply',
  'continuationBytes',
  'effectsBytes',
  'effectsPtr',
  'init',
  'inputPtr',
  'memory',
  'nextDeadline',
  'outcomesBytes',
  'outcomesPtr',
  'query',
  'refuse',
  'restoreBegin',
  'restoreEnd',
  'snapshotParts',
  'stateHashHigh',
  'stateHashLow',
]

/** Names of what a module imports, and of what it exports, sorted. */
export const borderOf = (wasm: WebAssembly.Module) => ({
  imports: WebAssembly.Module.imports(wasm).map(({ module, name }) => `${module}.${name}`),
  exports: WebAssembly.Module.exports(wasm)
    .map(({ name }) => name)
    .sort(),
})
