import { argon2, randomBytes, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'
import { CodedError } from '../protocol/errors.ts'
import { password as passwordSchema } from '../protocol/facts/accounts.ts'
import { throttled } from './throttle.ts'

/**
 * Login passwords (law S2): argon2id at the cost that OWASP's cheat sheet names first for servers with little
 * memory (19 MiB, two passes, one lane; checked November 2026), written in the PHC string form.
 */
export interface Passwords {
  /** BAD_REQUEST where it is shorter or longer than passwords may be. */
  hash(password: string): Promise<string>
  /** Takes as long for no hash at all (nobody has that name) as for a wrong password. */
  verify(password: string, hash: string | undefined): Promise<boolean>
  /** Whether the hash was made at another cost than new ones are. */
  isOutdated(hash: string): boolean
}

/** What it costs to try one password. */
export interface Cost {
  /** KiB. */
  readonly memory: number
  readonly passes: number
  readonly parallelism: number
}

const usualCost: Cost = { memory: 19_456, passes: 2, parallelism: 1 }
const saltBytes = 16
const hashBytes = 32
/** Each takes 19 MiB and one of the four threads that also read files. */
const atOnce = 2
const mostWaiting = 64

const derive = promisify(argon2)

/** New hashes are made at this cost. One that was made at another still lets in. */
export function createPasswords(cost: Cost = usualCost): Passwords {
  /** What a password is compared with when nobody has that name: the comparison never succeeds. */
  const nobody = { cost, salt: Buffer.alloc(saltBytes), digest: Buffer.alloc(hashBytes) }
  const waiting: (() => void)[] = []
  let running = 0

  async function digest(password: string, salt: Buffer, at: Cost, length: number) {
    if (running >= atOnce) {
      if (waiting.length >= mostWaiting) throw throttled(2)
      await new Promise<void>((resolve) => waiting.push(resolve))
    }
    running += 1
    try {
      // The same password typed on another system may come composed in another way.
      const message = password.normalize('NFKC')
      return await derive('argon2id', { message, nonce: salt, tagLength: length, ...at })
    } finally {
      running -= 1
      waiting.shift()?.()
    }
  }

  return {
    async hash(password) {
      if (!passwordSchema.safeParse(password).success) {
        throw new CodedError('BAD_REQUEST', 'a password has 8 to 1,024 characters')
      }
      const salt = randomBytes(saltBytes)
      return format(cost, salt, await digest(password, salt, cost, hashBytes))
    },
    async verify(password, hash) {
      const known = hash === undefined ? undefined : parse(hash)
      const { cost: at, salt, digest: expected } = known ?? nobody
      const found = await digest(password.slice(0, 1_024), salt, at, expected.length)
      return timingSafeEqual(found, expected) && known !== undefined
    },
    isOutdated(hash) {
      const known = parse(hash)
      return known === undefined || JSON.stringify(known.cost) !== JSON.stringify(cost)
    },
  }
}

function format({ memory, passes, parallelism }: Cost, salt: Buffer, digest: Buffer): string {
  return `$argon2id$v=19$m=${memory},t=${passes},p=${parallelism}$${unpadded(salt)}$${unpadded(digest)}`
}

const unpadded = (bytes: Buffer) => bytes.toString('base64').replace(/=+$/, '')

function parse(hash: string) {
  const match =
    /^\$argon2id\$v=19\$m=(\d{1,7}),t=(\d{1,2}),p=(\d{1,2})\$([A-Za-z0-9+/]{11,86})\$([A-Za-z0-9+/]{16,172})$/.exec(
      hash,
    )
  if (match === null) return undefined
  const [, memory, passes, parallelism, salt = '', digest = ''] = match
  return {
    cost: { memory: Number(memory), passes: Number(passes), parallelism: Number(parallelism) },
    salt: Buffer.from(salt, 'base64'),
    digest: Buffer.from(digest, 'base64'),
  }
}
