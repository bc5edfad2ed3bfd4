/**
 * Moves up to `length` bytes of the open file `from`, beginning at `offset`, into the socket `to`, without copying them
 * through this process. Answers how many went: fewer where the socket's buffer is full, and none or less than none
 * where nothing went, for whatever reason. It never waits for the socket, but does for a disk whose bytes are not in
 * the system's memory.
 */
export type Sendfile = (to: number, from: number, offset: number, length: number) => number

/**
 * Sends these bytes into the socket `to`, and answers how many went: fewer where its buffer is full, less than none
 * where nothing went. It waits for nothing.
 */
export type Send = (to: number, bytes: Uint8Array) => number

/** The system's own calls for an open socket. */
export interface Calls {
  readonly sendfile: Sendfile
  readonly send: Send
}

/** Where `off_t` and `ssize_t` have 64 bits, whichever libc there is. */
const architectures: readonly string[] = ['x64', 'arm64', 'riscv64', 'loong64', 'ppc64']

/** sendfile(2) and send(2), which Node has no call for; null where there are none that are known to fit. */
export async function loadCalls(): Promise<Calls | null> {
  if (process.platform !== 'linux' || !architectures.includes(process.arch)) return null
  try {
    const { calls } = await import('./sendfile-call.ts')
    return calls
  } catch {
    // Its package for this platform is not installed: everything works without, only with more work.
    return null
  }
}
