// @ts-check
import { spawn } from 'node:child_process'
import { existsSync, statfsSync } from 'node:fs'
import { constants } from 'node:os'
import { basename, delimiter, dirname } from 'node:path'

/** Something that the person who started the launcher can mend: what happened, and what to do. */
export class LaunchError extends Error {
  /** @param {string} message @param {string} help */
  constructor(message, help) {
    super(message)
    this.help = help
  }
}

/**
 * The environment of what we start: the given Node comes first in PATH, so that `node` and `npm` are it.
 * @param {string} node the binary @returns {NodeJS.ProcessEnv}
 */
export function environmentOf(node) {
  const name = Object.keys(process.env).find((key) => key.toUpperCase() === 'PATH') ?? 'PATH'
  const path = process.env[name] ?? ''
  const folder = dirname(node)
  if (path.split(delimiter)[0] === folder) return process.env
  return { ...process.env, [name]: `${folder}${delimiter}${path}` }
}

/**
 * Runs a command without a terminal and answers what it printed (both streams) once it has ended well.
 * @param {string} command @param {readonly string[]} args
 * @param {{ cwd: string, env?: NodeJS.ProcessEnv, shell?: boolean }} options
 * @param {(output: string) => LaunchError | undefined} [explain] what a failure's output means, where that is known
 * @returns {Promise<string>}
 */
export function run(command, args, options, explain = () => undefined) {
  const name = [basename(command), ...args].join(' ')
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] })
    const untie = tieSignals(child)
    let output = ''
    const collect = (/** @type {Buffer} */ chunk) => {
      output = (output + chunk.toString('utf8')).slice(-200_000)
    }
    child.stdout.on('data', collect)
    child.stderr.on('data', collect)
    child.on('error', (error) => {
      untie()
      reject(
        explain(error.message) ?? new LaunchError(`\`${name}\` cannot be started: ${error.message}`, again),
      )
    })
    child.on('close', (code, signal) => {
      untie()
      if (code === 0) return resolve(output)
      const how = signal === null ? 'failed' : `was ended by ${signal}`
      reject(explain(output) ?? new LaunchError(`\`${name}\` ${how}:\n${tail(output, 40)}`, again))
    })
  })
}

const again = 'Mend what it names, then run the same command again.'

/**
 * Runs npm with the Node that runs us: the npm that started us where one did, else the one in PATH.
 * @param {readonly string[]} args @param {{ cwd: string, env?: NodeJS.ProcessEnv }} options
 */
export function npm(args, options) {
  const quiet = [...args, '--no-audit', '--no-fund', '--no-update-notifier', '--loglevel=error']
  // npm's own pauses between attempts let a person without a network wait for more than a minute.
  quiet.push('--fetch-retry-mintimeout=2000', '--fetch-retry-maxtimeout=8000')
  // On a full disk npm may not get as far as saying so.
  const explain = (/** @type {string} */ output) => explainNpm(hasRoom(options.cwd) ? output : 'ENOSPC')
  const cli = process.env.npm_execpath
  if (cli !== undefined && basename(cli) === 'npm-cli.js' && existsSync(cli)) {
    return run(process.execPath, [cli, ...quiet], options, explain)
  }
  const onWindows = process.platform === 'win32'
  return run(onWindows ? 'npm.cmd' : 'npm', quiet, { ...options, shell: onWindows }, explain)
}

/** Whether there is as much room as a package may need. @param {string} folder */
function hasRoom(folder) {
  const { bavail, bsize } = statfsSync(folder)
  return bavail * bsize > 20_000_000
}

/** What npm's commonest failures mean to a person. @param {string} output @returns {LaunchError | undefined} */
export function explainNpm(output) {
  if (/spawn npm(\.cmd)? ENOENT/.test(output)) {
    return new LaunchError(
      'npm is not installed, or not in PATH.',
      'Install npm (Debian: `apt install npm`), then run the same command again.',
    )
  }
  if (/ENOSPC|no space left on device/i.test(output)) {
    return new LaunchError('The disk is full.', 'Make room (about 1 GB), then run the same command again.')
  }
  if (/EROFS|EACCES|EPERM/.test(output)) {
    return new LaunchError(
      `This folder, or npm's cache, cannot be written to:\n${tail(output, 4)}`,
      'Give yourself the right to write there, then run the same command again.',
    )
  }
  if (
    /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH|ERR_SOCKET/.test(output)
  ) {
    return new LaunchError(
      `The npm registry cannot be reached:\n${tail(output, 4)}`,
      'Connect this machine to the network (behind a proxy: `npm config set proxy …`), then run the same command again.',
    )
  }
  return undefined
}

/** @param {string} text @param {number} lines */
function tail(text, lines) {
  return text
    .split('\n')
    .filter((line) => line.trim() !== '' && !line.includes('A complete log of this run'))
    .slice(-lines)
    .join('\n')
}

const signals = /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP'])

/**
 * While the child lives, signals to us go to it, and it decides what they mean.
 * @param {import('node:child_process').ChildProcess} child @returns {() => void} ends that
 */
export function tieSignals(child) {
  /** @param {NodeJS.Signals} signal */
  const forward = (signal) => child.kill(signal)
  for (const signal of signals) process.on(signal, forward)
  return () => {
    for (const signal of signals) process.off(signal, forward)
  }
}

/** How often it is looked whether npm is still there, in milliseconds. */
const lookEveryMs = 500

/**
 * A signal that is sent to npm alone (by a supervisor, by `kill`) ends it and the shell by which it started us, and never
 * reaches us: the child would hold its port and its data folder against the next start, with nobody who knows of it.
 * @param {import('node:child_process').ChildProcess} child @returns {() => void} ends that
 */
function tieToNpm(child) {
  if (process.env.npm_lifecycle_event === undefined) return () => {}
  const shell = process.ppid
  const timer = setInterval(() => {
    if (process.ppid === shell) return
    clearInterval(timer)
    child.kill('SIGTERM')
  }, lookEveryMs)
  return () => clearInterval(timer)
}

/**
 * Hands the terminal over to a command and ends as it ends: with its exit code, or 128 and its signal.
 * @param {string} command @param {readonly string[]} args @param {{ cwd: string, env: NodeJS.ProcessEnv }} options
 * @returns {Promise<number>} the exit code
 */
export function handOver(command, args, options) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { ...options, stdio: 'inherit' })
    const untieSignals = tieSignals(child)
    const untieNpm = tieToNpm(child)
    const untie = () => {
      untieSignals()
      untieNpm()
    }
    child.on('error', (error) => {
      untie()
      reject(error)
    })
    child.on('exit', (code, signal) => {
      untie()
      resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal]))
    })
  })
}
