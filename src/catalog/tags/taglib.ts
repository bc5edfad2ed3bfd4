import { readFileSync } from 'node:fs'
import { decodeMessagePack, type Value } from './messagepack.ts'
import type { Window } from './window.ts'

/**
 * TagLib in WebAssembly, in a world that holds one file and nothing else: the module's system calls are answered from
 * a `Window`, so it can open no path and write no byte, file names of any encoding work, and reads are buffered.
 */
export interface TagLib {
  /** The tags, audio properties and pictures, or null where TagLib does not recognise the file as `suffix`. */
  read(window: Window, suffix: string): Map<string, Value> | null
  /** The raw ID3v2 frames of one kind (`SYLT`) of an MP3, each a body without its header. */
  id3Frames(window: Window, id: string): Uint8Array[]
  /** How much memory the module holds, in bytes. WebAssembly memory never shrinks: make another TagLib then. */
  readonly memory: number
}

const fileDescriptor = 4
const badDescriptor = 8
const invalid = 28

interface Exports {
  memory: WebAssembly.Memory
  initialize(): void
  allocate(size: number): number
  free(pointer: number): void
  readTags(path: number, size: number): number
  readFrames(path: number, id: number, size: number): number
  clearError(): void
}

/** Compiles the module; do it once, and instantiate it as often as a crash or a full memory demands. */
export function compileTagLib(): WebAssembly.Module {
  return new WebAssembly.Module(readFileSync(new URL('taglib-wasi.wasm', import.meta.resolve('taglib-wasm'))))
}

export function openTagLib(module: WebAssembly.Module): TagLib {
  let window: Window | undefined
  let position = 0
  const exports = instantiate(module, {
    read(target) {
      if (!window) return 0
      const count = window.read(target, position)
      position += count
      return count
    },
    seek(offset, whence) {
      position = whence === 0 ? offset : whence === 1 ? position + offset : (window?.size ?? 0) + offset
      return position
    },
  })
  const textPointer = exports.allocate(64)
  const framePointer = exports.allocate(8)
  const sizePointer = exports.allocate(4)

  function writeText(pointer: number, text: string) {
    new Uint8Array(exports.memory.buffer).set(new TextEncoder().encode(`${text}\0`), pointer)
  }

  function call<T>(source: Window, run: () => number, use: (answer: Value) => T): T | null {
    window = source
    position = 0
    const pointer = run()
    window = undefined
    if (pointer === 0) {
      exports.clearError()
      return null
    }
    const size = new DataView(exports.memory.buffer).getUint32(sizePointer, true)
    try {
      return use(decodeMessagePack(new Uint8Array(exports.memory.buffer, pointer, size)))
    } finally {
      exports.free(pointer)
    }
  }

  return {
    get memory() {
      return exports.memory.buffer.byteLength
    },
    read(source, suffix) {
      writeText(textPointer, `/file.${suffix}`)
      const readTags = () => exports.readTags(textPointer, sizePointer)
      return call(source, readTags, (answer) => (answer instanceof Map ? detach(answer) : null))
    },
    id3Frames(source, id) {
      writeText(textPointer, '/file.mp3')
      writeText(framePointer, id)
      const readFrames = () => exports.readFrames(textPointer, framePointer, sizePointer)
      const frames = call(source, readFrames, (answer) => (Array.isArray(answer) ? answer : []))
      return (frames ?? []).flatMap((frame) => {
        const body = frame instanceof Map ? frame.get('data') : undefined
        return body instanceof Uint8Array ? [body.slice()] : []
      })
    },
  }
}

/** Copies the picture bytes out of the module's memory, which the next call overwrites. */
function detach(answer: Map<string, Value>): Map<string, Value> {
  const pictures = answer.get('pictures')
  if (!Array.isArray(pictures)) return answer
  for (const picture of pictures) {
    if (!(picture instanceof Map)) continue
    const data = picture.get('data')
    if (data instanceof Uint8Array) picture.set('data', data.slice())
  }
  return answer
}

interface File {
  read(target: Uint8Array): number
  seek(offset: number, whence: number): number
}

/** Links the module with the few WASI calls that it imports. */
function instantiate(module: WebAssembly.Module, file: File): Exports {
  let memory: WebAssembly.Memory | undefined
  const buffer = () => memory?.buffer ?? new ArrayBuffer(0)
  let present = new DataView(new ArrayBuffer(0))
  /** The memory moves whenever it grows. */
  const view = () => {
    if (present.buffer !== memory?.buffer) present = new DataView(buffer())
    return present
  }
  const bytes = (pointer: number, length: number) => new Uint8Array(buffer(), pointer, length)

  const wasi = {
    environ_get: () => 0,
    environ_sizes_get(count: number, size: number) {
      view().setUint32(count, 0, true)
      view().setUint32(size, 0, true)
      return 0
    },
    fd_close: () => 0,
    fd_fdstat_get(descriptor: number, pointer: number) {
      const target = view()
      target.setUint8(pointer, descriptor === fileDescriptor ? 4 : 3)
      target.setUint16(pointer + 2, 0, true)
      target.setBigUint64(pointer + 8, 0xffff_ffff_ffff_ffffn, true)
      target.setBigUint64(pointer + 16, 0xffff_ffff_ffff_ffffn, true)
      return 0
    },
    fd_fdstat_set_flags: () => 0,
    fd_filestat_set_size: () => badDescriptor,
    fd_prestat_get(descriptor: number, pointer: number) {
      if (descriptor !== 3) return badDescriptor
      view().setUint32(pointer, 0, true)
      view().setUint32(pointer + 4, 1, true)
      return 0
    },
    fd_prestat_dir_name(descriptor: number, pointer: number) {
      if (descriptor !== 3) return badDescriptor
      bytes(pointer, 1)[0] = 0x2f
      return 0
    },
    fd_read(_descriptor: number, vectors: number, count: number, done: number) {
      let total = 0
      for (let index = 0; index < count; index++) {
        const length = view().getUint32(vectors + index * 8 + 4, true)
        const read = file.read(bytes(view().getUint32(vectors + index * 8, true), length))
        total += read
        if (read < length) break
      }
      view().setUint32(done, total, true)
      return 0
    },
    fd_seek(_descriptor: number, offset: bigint, whence: number, result: number) {
      const position = file.seek(Number(offset), whence)
      if (position < 0) return invalid
      view().setBigInt64(result, BigInt(position), true)
      return 0
    },
    // What TagLib says on its standard output is about a hostile file: swallowed.
    fd_write(_descriptor: number, vectors: number, count: number, done: number) {
      let total = 0
      for (let index = 0; index < count; index++) total += view().getUint32(vectors + index * 8 + 4, true)
      view().setUint32(done, total, true)
      return 0
    },
    path_open(...parameters: [number, number, number, number, number, bigint, bigint, number, number]) {
      view().setUint32(parameters[8], fileDescriptor, true)
      return 0
    },
    proc_exit(code: number) {
      throw new Error(`TagLib ended with ${code}`)
    },
    random_get(pointer: number, length: number) {
      crypto.getRandomValues(bytes(pointer, length))
      return 0
    },
  }

  const { exports } = new WebAssembly.Instance(module, { wasi_snapshot_preview1: wasi })
  if (!(exports.memory instanceof WebAssembly.Memory)) throw new Error('the TagLib module has no memory')
  memory = exports.memory
  const call = (name: string) => {
    const run = exports[name]
    if (typeof run !== 'function') throw new Error(`the TagLib module lacks ${name}`)
    return (...parameters: number[]) => Number(run(...parameters) ?? 0)
  }
  const [initialize, allocate, free, clearError] = [
    '_initialize',
    'tl_malloc',
    'tl_free',
    'tl_clear_error',
  ].map(call)
  const [tags, frames] = ['tl_read_tags', 'tl_read_id3v2_frames'].map(call)
  if (!initialize || !allocate || !free || !clearError || !tags || !frames) throw new Error('unreachable')
  initialize()
  return {
    memory,
    initialize,
    allocate,
    free,
    clearError,
    readTags: (path, size) => tags(path, 0, 0, size),
    readFrames: (path, id, size) => frames(path, 0, 0, id, size),
  }
}
