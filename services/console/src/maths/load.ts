/**
 * The engine's own module, compiled by the browser from the file that the platform serves beside the page: the same bytes that
 * the platform's partitions run. @throws when it cannot be fetched
 */
export const fetchTradingModule = (): Promise<WebAssembly.Module> =>
  WebAssembly.compileStreaming(fetch(new URL('../../../../risk-rules/build/trading.wasm', import.meta.url)))
