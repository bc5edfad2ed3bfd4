import type { Accounts, AuthenticatedDevice, DeviceCredentials } from '../../accounts/accounts.ts'
import { Failure } from './failure.ts'
import { firstOf, type RawParameters } from './parameters.ts'

/**
 * Who asks, by an API key or by a user's name with the secret of a device (law S2): as it is, in hexadecimal behind
 * `enc:`, or as the MD5 of it and a salt. The login password is none of these.
 */
export function identify(
  accounts: Pick<Accounts, 'verifyDevice'>,
  parameters: RawParameters,
  address: string,
): AuthenticatedDevice {
  const credentials = credentialsOf(parameters)
  const found = accounts.verifyDevice(credentials, address)
  if (found !== null) return found
  if ('apiKey' in credentials) throw new Failure(44, 'Invalid API key')
  throw new Failure(
    40,
    "Wrong username or password. The password is a device's secret, made in the web player; the one for signing in there does not work here",
  )
}

function credentialsOf(parameters: RawParameters): DeviceCredentials {
  const [apiKey, name, password, token, salt] = ['apiKey', 'u', 'p', 't', 's'].map((each) =>
    firstOf(parameters, each),
  )
  if (apiKey !== undefined) {
    if ([name, password, token, salt].some((each) => each !== undefined)) {
      throw new Failure(43, 'Multiple conflicting authentication mechanisms provided')
    }
    return { apiKey }
  }
  if (name === undefined) throw missing('u')
  if (password !== undefined && token !== undefined) {
    throw new Failure(43, 'Multiple conflicting authentication mechanisms provided')
  }
  if (password !== undefined) return { name, password: plainOf(password) }
  if (token === undefined) throw salt === undefined ? missing('p') : missing('t')
  if (salt === undefined) throw missing('s')
  return { name, token, salt }
}

/** A password as it is meant; one that only looks encoded is what it is. */
export function plainOf(password: string): string {
  const hex = /^enc:((?:[0-9a-f]{2})*)$/i.exec(password)?.[1]
  return hex === undefined ? password : Buffer.from(hex, 'hex').toString('utf8')
}

function missing(name: string): Failure {
  return new Failure(10, `Required parameter '${name}' is missing`)
}

/** Every request says which client asks, and which version of the API it speaks. Failures 10, 20 and 30. */
export function clientOf(parameters: RawParameters): string {
  const version = firstOf(parameters, 'v')
  if (!version) throw missing('v')
  const major = /^(\d{1,9})(?:\.\d{1,9}){1,3}$/.exec(version)?.[1]
  if (major === undefined) throw new Failure(10, `The parameter 'v' is not valid: not a version`)
  if (Number(major) < 1) throw new Failure(20, 'Incompatible protocol version. Client must upgrade')
  if (Number(major) > 1) throw new Failure(30, 'Incompatible protocol version. Server must upgrade')
  const client = firstOf(parameters, 'c')
  if (!client) throw missing('c')
  return client.slice(0, 200)
}

/** The version of the API that the client speaks is 1 and this: `clientOf` has seen that it is one. */
export function minorOf(parameters: RawParameters): number {
  return Number(firstOf(parameters, 'v')?.split('.')[1])
}
