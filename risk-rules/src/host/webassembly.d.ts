/**
 * The part of the WebAssembly JavaScript interface (https://webassembly.github.io/spec/js-api/) that this
 * project uses: TypeScript has it in the browser's library only, which would declare `window` and its friends
 * for servers too.
 */
declare namespace WebAssembly {
  interface ImportDescriptor {
    readonly module: string
    readonly name: string
    readonly kind: string
  }
  interface ExportDescriptor {
    readonly name: string
    readonly kind: string
  }
  class Module {
    constructor(bytes: Uint8Array<ArrayBuffer>)
    static imports(module: Module): ImportDescriptor[]
    static exports(module: Module): ExportDescriptor[]
  }
  class Instance {
    constructor(module: Module, imports: Record<string, Record<string, unknown>>)
    readonly exports: Record<string, unknown>
  }
  class Memory {
    constructor(descriptor: { initial: number; maximum?: number })
    readonly buffer: ArrayBuffer
  }
  class RuntimeError extends Error {}
}
