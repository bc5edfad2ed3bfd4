/** What we use of the WebAssembly API, which TypeScript describes only together with the whole browser. */
// biome-ignore lint/style/noNamespace: WebAssembly is a namespace; this only describes it
declare namespace WebAssembly {
  class Module {
    constructor(bytes: Uint8Array)
  }
  class Memory {
    readonly buffer: ArrayBuffer
  }
  class Instance {
    constructor(module: Module, imports: Record<string, Record<string, unknown>>)
    readonly exports: Record<string, unknown>
  }
}
