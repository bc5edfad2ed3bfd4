import { delimiter } from 'node:path'
import { Command, Option } from 'commander'
import { type Flags, readConfig } from '../config.ts'
import { version } from '../version.ts'
import type { Context } from './context.ts'
import type { Terminal } from './terminal.ts'

/**
 * The command line. Each command loads what it needs when it is called, so that `status` does not wait for a server's
 * parts. Answers the exit code; errors are thrown.
 */
export async function runProgram(
  argv: readonly string[],
  terminal: Terminal,
  signal: AbortSignal,
): Promise<number> {
  let code = 0
  const program = new Command('hocket')
    .description(
      'A self-hosted music service that spans your machines and keeps playing when one of them dies',
    )
    .version(version)
    .showHelpAfterError('(--help shows what there is)')
    .configureHelp({ showGlobalOptions: true })
    .exitOverride()
    .configureOutput({
      writeOut: (text) => terminal.print(text.trimEnd()),
      writeErr: (text) => terminal.note(text.trimEnd()),
    })
    .addOption(new Option('--data <folder>', 'the data folder (HOCKET_DATA)'))

  const contextOf = (command: Command): Context => ({
    config: readConfig(flagsOf(command)),
    terminal,
    signal,
  })

  program
    .command('up')
    .description('start the server')
    .option(
      '--music <folder>',
      `a music folder; repeatable (HOCKET_MUSIC, ${delimiter} between folders)`,
      collect,
    )
    .option('--port <number>', 'the port, 0 for any that is free; 4650 if unset (HOCKET_PORT)')
    .option('--host <address>', 'the address to listen on; this machine only if unset (HOCKET_HOST)')
    .option('--name <name>', 'how this node is called; the name of the machine if unset (HOCKET_NAME)')
    .option('--zone <name>', 'what fails together with it, such as a room (HOCKET_ZONE)')
    .option('--address <address>', 'where the other nodes reach this one (HOCKET_ADDRESS)')
    .option('--roles <names>', 'what it does for the others; everything if unset (HOCKET_ROLES)')
    .option('--join <line>', 'join a cluster with the line that it printed (HOCKET_JOIN)')
    .option('--discover', 'look for a cluster on this network, and ask for the line with which to join it')
    .option('--log-level <level>', 'fatal, error, warn, info, debug, trace or silent (HOCKET_LOG_LEVEL)')
    .addHelpText('after', '\nMore settings are variables: see docs/operations.md.')
    .action(async ({ discover = false }: { discover?: boolean }, command: Command) =>
      (await import('./up.ts')).up(contextOf(command), { discover }),
    )

  program
    .command('scan')
    .description('look through the music folders of the running server, and show how far it is')
    .option('--full', 'read every file again, changed or not')
    .action(async ({ full = false }: { full?: boolean }, command: Command) =>
      (await import('./scan.ts')).scan(contextOf(command), { full }),
    )

  program
    .command('status')
    .description('show how the running server is doing')
    .option('--json', 'as JSON, for programs')
    .action(async ({ json = false }: { json?: boolean }, command: Command) =>
      (await import('./status.ts')).status(contextOf(command), { json }),
    )

  addUserCommands(program, contextOf)
  addClusterCommands(program, contextOf)

  program
    .command('backup <file>')
    .description('write everything that cannot be made again into one file, while the server runs or not')
    .action(async (file: string, _options, command: Command) =>
      (await import('./backup.ts')).backupTo(contextOf(command), file),
    )

  program
    .command('restore <file>')
    .description('make the same instance from a backup, in an empty data folder')
    .action(async (file: string, _options, command: Command) =>
      (await import('./backup.ts')).restoreFrom(contextOf(command), file),
    )

  program
    .command('doctor')
    .description('check the installation and the data, and say what to mend')
    .option('--bytes', 'also read all uploaded audio and compare it with its checksums (server stopped)')
    .action(async ({ bytes = false }: { bytes?: boolean }, command: Command) => {
      const isWell = await (await import('./doctor/doctor.ts')).doctor(contextOf(command), { bytes })
      code = isWell ? 0 : 1
    })

  await program.parseAsync(argv, { from: 'user' })
  return code
}

function addUserCommands(program: Command, contextOf: (command: Command) => Context): void {
  const user = program.command('user').description('manage accounts, while the server runs or not')

  user
    .command('add <name>')
    .description('make an account; the password is asked for, or is the first line of standard input')
    .option('--administrator', 'the account may administer the server')
    .action(async (name: string, options: { administrator?: boolean }, command: Command) => {
      const role = options.administrator === true ? 'administrator' : 'user'
      await (await import('./user.ts')).addUser(contextOf(command), name, role)
    })

  user
    .command('list')
    .description('list all accounts')
    .action(async (_options, command: Command) => (await import('./user.ts')).listUsers(contextOf(command)))

  user
    .command('password <name>')
    .description('set a new password, asked for or the first line of standard input; ends the sessions')
    .action(async (name: string, _options, command: Command) =>
      (await import('./user.ts')).setPassword(contextOf(command), name),
    )

  user
    .command('disable <name>')
    .description('let nobody sign in with the account; all that belongs to it is kept')
    .action(async (name: string, _options, command: Command) =>
      (await import('./user.ts')).setDisabled(contextOf(command), name, true),
    )

  user
    .command('enable <name>')
    .description('let people sign in with the account again')
    .action(async (name: string, _options, command: Command) =>
      (await import('./user.ts')).setDisabled(contextOf(command), name, false),
    )

  user
    .command('secret <name>')
    .description('make a secret for a device or app of the account; it is the last line of the output')
    .requiredOption('--label <text>', 'what the device is called')
    .action(async (name: string, { label }: { label: string }, command: Command) =>
      (await import('./user.ts')).makeSecret(contextOf(command), name, label),
    )
}

function addClusterCommands(program: Command, contextOf: (command: Command) => Context): void {
  const cluster = program
    .command('cluster')
    .description('make one service of several machines, and look after it')

  cluster
    .command('init')
    .description(
      'turn this machine into the first of a cluster, and print the line with which another one joins',
    )
    .option('--name <name>', 'how this node is called; the name of the machine if unset (HOCKET_NAME)')
    .option('--zone <name>', 'what fails together with it, such as a room (HOCKET_ZONE)')
    .option('--address <address>', 'where the other nodes reach this one (HOCKET_ADDRESS)')
    .option('--roles <names>', 'what it does for the others; everything if unset (HOCKET_ROLES)')
    .option('--store <address>', 'an etcd that runs already: etcds://host:2379,… (HOCKET_STORE)')
    .action(async (_options, command: Command) => (await import('./cluster.ts')).init(contextOf(command)))

  cluster
    .command('invite')
    .description('print a line with which one more machine joins')
    .action(async (_options, command: Command) =>
      (await import('./cluster.ts')).inviteNode(contextOf(command)),
    )

  cluster
    .command('leave')
    .description('go back to one machine, with everything on it; drain the others first')
    .requiredOption('--keep-data', 'keep all accounts, playlists and songs here')
    .option('--address <address>', 'as the node was started with it (HOCKET_ADDRESS)')
    .action(async (_options, command: Command) => (await import('./leave.ts')).leave(contextOf(command)))

  cluster
    .command('settings')
    .description('show how many copies there are, and how long a node may be silent')
    .action(async (_options, command: Command) =>
      (await import('./cluster.ts')).showSettings(contextOf(command)),
    )

  cluster
    .command('set')
    .description('change the settings of the whole cluster, from now on')
    .option('--copies <number>', 'how many copies of each song there are, on different machines')
    .option('--quorum <number>', 'how many of them are durable before an upload is acknowledged')
    .option('--grace <time>', 'how long a node may be silent before its copies are made anew: 90s, 15m, 2h')
    .action(async (options: { copies?: string; quorum?: string; grace?: string }, command: Command) =>
      (await import('./cluster.ts')).changeSettings(contextOf(command), options),
    )

  cluster
    .command('node <node>')
    .description('change the name of a node, its zone, or how much it may hold')
    .option('--name <name>', 'its new name')
    .option('--zone <name>', 'what fails together with it, such as a room')
    .option('--capacity <size>', 'how much it may hold, such as 500GiB; all: what its disk has')
    .action(
      async (node: string, options: { name?: string; zone?: string; capacity?: string }, command: Command) =>
        (await import('./cluster.ts')).changeNode(contextOf(command), node, options),
    )

  const authority = cluster
    .command('authority')
    .description('show when the certificate authority of the cluster expires')
    .action(async (_options, command: Command) =>
      (await import('./authority.ts')).showAuthority(contextOf(command)),
    )

  authority
    .command('renew')
    .description('replace it and all certificates, while everything runs')
    .action(async (_options, command: Command) =>
      (await import('./authority.ts')).renewAuthority(contextOf(command)),
    )

  for (const [name, state, description] of [
    ['drain', 'draining', 'empty a node: its copies are made elsewhere, and it serves until then'],
    ['undrain', 'active', 'let a node that is being emptied take part again'],
    ['remove', 'removed', 'remove a node that is gone for good'],
  ] as const) {
    const each = program
      .command(`${name} <node>`)
      .description(description)
      .action(async (node: string, options: { now?: boolean }, command: Command) =>
        (await import('./cluster.ts')).setNodeState(contextOf(command), node, state, options),
      )
    if (state === 'removed')
      each.option('--now', 'though it is up and was not drained: what only it has is lost')
  }
}

const collect = (folder: string, folders: readonly string[] = []) => [...folders, folder]

/** The settings among the options of a command and of those above it. */
function flagsOf(command: Command): Flags {
  const { data, music, port, host, name, zone, address, roles, store, join, logLevel } =
    command.optsWithGlobals<Flags>()
  return { data, music, port, host, name, zone, address, roles, store, join, logLevel }
}
