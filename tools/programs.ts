import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { step } from './launch/progress.mjs'

/** What the tests use besides npm's packages: the Debian package, and the files of which one shows that it is there. */
const programs = [
  { package: 'chromium', oneOf: ['chromium', 'chromium-browser', 'google-chrome'] },
  { package: 'ffmpeg', oneOf: ['ffmpeg'] },
  { package: 'etcd-server', oneOf: ['etcd'] },
  { package: 'iproute2', oneOf: ['ip'] },
  { package: 'nftables', oneOf: ['nft'] },
  { package: 'python3', oneOf: ['python3'] },
  { package: 'zbar-tools', oneOf: ['zbarimg'] },
  { package: 'wesnoth-1.16-music', oneOf: ['/usr/share/games/wesnoth/1.16/data/core/music'] },
  { package: 'asc-music', oneOf: ['/usr/share/games/asc/music'] },
] as const

/**
 * Installs what is missing with apt where we may (root on Debian or Ubuntu); elsewhere says in one line what is missing.
 * The tests run in either case: one that lacks its program fails and names it.
 */
export async function ensurePrograms(): Promise<void> {
  const missing = programs
    .filter((program) => !program.oneOf.some(isPresent))
    .map((program) => program.package)
  if (missing.length === 0) return
  if (process.getuid?.() !== 0 || !(await isDebian())) {
    console.error(`The tests need what this machine lacks: ${missing.join(', ')} (names of Debian packages).`)
    return
  }
  try {
    await step('Refreshing the list of Debian packages (apt-get update)', () => apt(['update']))
    await step(`Installing ${missing.join(', ')} (apt-get install)`, () =>
      apt(['install', '--yes', '--no-install-recommends', ...missing]),
    )
  } catch (error) {
    console.error(
      `The tests will lack ${missing.join(', ')}: ${error instanceof Error ? error.message : error}`,
    )
  }
}

function isPresent(name: string): boolean {
  if (name.startsWith('/')) return existsSync(name)
  return (process.env.PATH ?? '').split(delimiter).some((folder) => existsSync(join(folder, name)))
}

async function isDebian(): Promise<boolean> {
  const release = await readFile('/etc/os-release', 'utf8').catch(() => '')
  return /^ID(_LIKE)?=.*\b(debian|ubuntu)\b/m.test(release)
}

function apt(args: readonly string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn('apt-get', ['--quiet', '-o', 'DPkg::Lock::Timeout=300', ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    })
    let output = ''
    const collect = (chunk: Buffer) => {
      output = (output + chunk.toString('utf8')).slice(-4_000)
    }
    child.stdout.on('data', collect)
    child.stderr.on('data', collect)
    child.on('error', reject)
    child.on('close', (code) => {
      if (code === 0) resolve()
      else reject(new Error(`apt-get ${args.join(' ')} failed:\n${output}`))
    })
  })
}
