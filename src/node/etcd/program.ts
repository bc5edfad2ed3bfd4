import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { CodedError } from '../../protocol/errors.ts'

/** A running `etcd`. It ends when we do, however we do. */
export interface EtcdProcess {
  readonly pid: number
  /** Resolves when it has ended, with why. Never rejects. */
  readonly ended: Promise<string>
  /** Lets it finish what it does, and kills it when that takes too long. */
  end(): Promise<void>
}

/**
 * How long etcd may take to end, in milliseconds. One that leads waits for nine seconds until another does, which nobody
 * can where all machines are stopped at once; what it has acknowledged is on its disk.
 */
const timeToEnd = 3_000
const oldest = [3, 4] as const

/**
 * A shell between us and etcd: it ends etcd when our end of its input closes, and so also when we are killed. etcd
 * alone would live on, and hold its folder and ports against our next start. The first line of output is etcd's pid.
 */
const script = `
  export ETCD_UNSUPPORTED_ARCH="$1"
  shift
  etcd "$@" </dev/null &
  pid=$!
  echo "$pid"
  exec 3<&0
  ( read -r _ <&3; kill -TERM "$pid" ) >/dev/null 2>&1 &
  watcher=$!
  wait "$pid"
  code=$?
  kill "$watcher" 2>/dev/null
  exit "$code"
`

/** Go's names for the processors that etcd runs on only when told that one wants it. */
const architectures: Readonly<Record<string, string>> = { arm64: 'arm64', arm: 'arm', ia32: '386' }

/** Starts etcd. Throws ETCD_MISSING where there is none. `line` gets every line that it writes. */
export async function spawnEtcd(
  flags: readonly string[],
  line: (text: string) => void,
): Promise<EtcdProcess> {
  await requireEtcd()
  const child = spawn('sh', ['-c', script, 'sh', architectures[process.arch] ?? '', ...flags], {
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  const ended = endOf(child)
  createInterface({ input: child.stderr }).on('line', line)
  // Its closing is how the shell learns of our end; that it is closed already, when etcd ended first, is no fault.
  child.stdin.on('error', () => undefined)
  const output = createInterface({ input: child.stdout })
  const first = await Promise.race([once(output, 'line'), ended.then((why) => [why])])
  const pid = Number(first[0])
  if (!Number.isInteger(pid)) throw new CodedError('ETCD_FAILED', String(first[0]))

  return {
    pid,
    ended,
    async end() {
      child.stdin.end()
      const timer = setTimeout(() => kill(pid), timeToEnd)
      await ended
      clearTimeout(timer)
    },
  }
}

function endOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    child.on('error', (error) => resolve(error.message))
    child.on('exit', (code, signal) => resolve(signal === null ? `exit code ${code}` : `signal ${signal}`))
  })
}

function kill(pid: number) {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It ended at the last moment.
  }
}

/** Throws ETCD_MISSING where there is no etcd, or one that is too old: learners came with 3.4. */
export async function requireEtcd(): Promise<void> {
  const output = await new Promise<string>((resolve, reject) => {
    execFile('etcd', ['--version'], { timeout: 10_000 }, (error, out) => {
      if (error === null) resolve(out)
      else reject(new CodedError('ETCD_MISSING', undefined, { cause: error }))
    })
  })
  const [, major = '0', minor = '0'] = /etcd Version: (\d+)\.(\d+)/.exec(output) ?? []
  if (Number(major) < oldest[0] || (Number(major) === oldest[0] && Number(minor) < oldest[1])) {
    throw new CodedError(
      'ETCD_MISSING',
      `version ${major}.${minor} is too old; ${oldest.join('.')} is needed`,
    )
  }
}
