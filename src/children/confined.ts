import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync } from 'node:fs'
import { getCompileCacheDir } from 'node:module'
import { setPriority } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export interface Confinement {
  /** How far it yields to serving, from 1 to 19. */
  readonly niceness: number
  /** Whether it reads what comes by its standard input. */
  readonly hasInput?: boolean
}

/** The same for all: the limits are part of the name under which Node keeps what it has compiled. */
const limits = [
  '--max-old-space-size=256',
  // 65,536 bytes a page: 256 MiB for TagLib.
  '--wasm-max-mem-pages=4096',
]
/** Reading is all that the child may do: no writing, no programs, no threads. */
const permissions = ['--permission', '--allow-fs-read=*', '--disable-warning=SecurityWarning']

/**
 * Starts a TypeScript program of ours in a process that may read files, talk to us by messages, and nothing else (law
 * S1): it gets no environment, and reads what others made.
 *
 * It finds its modules compiled where `compileConfined` has left them. Node reads them only where it may also write, so
 * that one folder is open to it, which no other process reads; and the kernel lets it write no byte into any file.
 */
export function startConfined(program: URL, { niceness, hasInput = false }: Confinement): ChildProcess {
  const folder = process.platform === 'win32' ? undefined : compiledFolder()
  const isCompiled = folder !== undefined && existsSync(folder)
  const node = [
    process.execPath,
    ...permissions,
    ...(isCompiled ? [`--allow-fs-write=${folder}`] : []),
    '--disable-warning=ExperimentalWarning',
    ...limits,
    fileURLToPath(program),
  ]
  const [command = process.execPath, ...parameters] = isCompiled
    ? ['/bin/sh', '-c', 'ulimit -c 0 && ulimit -f 0 && exec "$@"', 'sh', ...node]
    : node
  const child = spawn(command, parameters, {
    // Dates that name no zone are those of UTC.
    env: { TZ: 'UTC', ...(isCompiled && { NODE_COMPILE_CACHE: folder }) },
    serialization: 'advanced',
    stdio: [hasInput ? 'pipe' : 'ignore', 'ignore', 'ignore', 'ipc'],
    windowsHide: true,
  })
  // It may have ended already, or not have started: then there is nothing to set.
  try {
    if (child.pid !== undefined) setPriority(child.pid, niceness)
  } catch {}
  return child
}

/** Compiles the modules of the programs for their later starts, where Node keeps what it compiles at all. */
export function compileConfined(programs: readonly URL[]): void {
  const folder = compiledFolder()
  if (folder === undefined) return
  mkdirSync(folder, { recursive: true })
  const loaded = programs.flatMap((program) => ['--import', program.href])
  spawnSync(process.execPath, [...limits, ...loaded, '--eval', ''], {
    env: { NODE_COMPILE_CACHE: folder },
    stdio: ['ignore', 'ignore', 'inherit'],
  })
}

function compiledFolder(): string | undefined {
  // The folder's last part names this Node and its flags. A child has other flags, and a part of its own.
  const ours = getCompileCacheDir()
  return ours === undefined ? undefined : join(dirname(ours), 'confined')
}
