import type { Device, Invitation, Role, Session, User } from '../protocol/facts/accounts.ts'
import type { Id, Timestamp } from '../protocol/ids.ts'

/**
 * The accounts role: who may do what. Every write answers the store's revision (law F4), after the local index has
 * caught up with it. Reads come from the index, so that a store without quorum locks nobody out; they throw BEHIND
 * while an empty index is being filled.
 *
 * Errors: BAD_REQUEST, NOT_FOUND, CONFLICT, and those named below. None of them holds a secret.
 */
export interface Accounts extends AsyncDisposable {
  /** No account exists yet. */
  needsSetup(): boolean
  /** Makes the first administrator. SETUP_DONE where an account exists: of two at once, only one wins. */
  setup(input: NewUser, signal?: AbortSignal): Promise<Written<Person>>

  /**
   * The user and session of a token (of a cookie or a Bearer header) or of a pass, or null. Takes microseconds. Notes in the
   * background that the session was seen.
   */
  authenticate(token: string): Authenticated | null
  /**
   * A pass, which stands for the session at other gateways for a day at most; null on a machine that stands alone, which
   * needs none (it has no key in common with others).
   */
  pass(session: Session, origin: string): { readonly pass: string; readonly expiresAt: Timestamp } | null
  /** The origin of the page that a pass was made for; null where it is none that holds. */
  originOf(pass: string): string | null
  /**
   * Signs in with name and password. WRONG_CREDENTIALS says nothing of which was wrong; ACCOUNT_DISABLED only to who
   * knew the password. After failures the account and address must wait: a Throttled error (TOO_MANY_REQUESTS).
   */
  signIn(input: SignIn, signal?: AbortSignal): Promise<Written<NewSession>>
  /** Makes a session for someone who has just proven who they are by other means (setup, an accepted invitation). */
  openSession(user: Id, client: string, signal?: AbortSignal): Promise<Written<NewSession>>
  sessions(user: Id): readonly Session[]
  /** Ends one session of this user. NOT_FOUND where it is not theirs. */
  endSession(user: Id, session: Id, signal?: AbortSignal): Promise<Written<void>>
  /** Ends all of the user's sessions but `keep`. */
  endSessions(user: Id, keep?: Id, signal?: AbortSignal): Promise<Written<void>>

  users(): readonly Person[]
  user(id: Id): Person | null
  userByName(name: string): Person | null
  /** NAME_TAKEN where another has this name, differences of case and width aside. */
  createUser(input: NewUser, signal?: AbortSignal): Promise<Written<Person>>
  /** LAST_ADMINISTRATOR where nobody could administer any more. A new password or `disabled` ends the sessions. */
  changeUser(id: Id, change: UserChange, signal?: AbortSignal): Promise<Written<Person>>
  /** With their sessions, devices and name. LAST_ADMINISTRATOR as above. */
  removeUser(id: Id, signal?: AbortSignal): Promise<Written<void>>
  /**
   * A person's own new password. WRONG_CREDENTIALS where the old one is wrong (throttled like signing in). Ends
   * their other sessions.
   */
  changePassword(input: PasswordChange, signal?: AbortSignal): Promise<Written<void>>

  /** The token is shown this once. */
  invite(
    input: NewInvitation,
    signal?: AbortSignal,
  ): Promise<Written<{ invitation: Invitation; token: string }>>
  /** Those that are still good. */
  invitations(): readonly Invitation[]
  /** What the link offers, or null where it is used up, revoked or too old. */
  invitation(token: string): Invitation | null
  /** Makes the account that the link offers and uses the link up, both or neither. INVITATION_ENDED, NAME_TAKEN. */
  acceptInvitation(
    token: string,
    input: Omit<NewUser, 'role' | 'quotaBytes'>,
    signal?: AbortSignal,
  ): Promise<Written<Person>>
  revokeInvitation(id: Id, signal?: AbortSignal): Promise<Written<void>>

  /** The secret is shown this once; it serves as the API key and as the password of Subsonic clients (law S2). */
  createDevice(
    user: Id,
    label: string,
    signal?: AbortSignal,
  ): Promise<Written<{ device: DeviceListing; secret: string }>>
  devices(user: Id): readonly DeviceListing[]
  removeDevice(user: Id, device: Id, signal?: AbortSignal): Promise<Written<void>>
  /**
   * Who these Subsonic credentials belong to, or null. Right ones are never refused; after many wrong ones from one
   * address the answer is a Throttled error instead of null, so that a program with an old secret slows down.
   */
  verifyDevice(credentials: DeviceCredentials, address: string): AuthenticatedDevice | null
}

export interface Written<Value> {
  readonly value: Value
  readonly revision: number
}

/** A user without the password's hash. */
export type Person = Omit<User, 'passwordHash'>
/** A device without its secret. */
export type DeviceListing = Omit<Device, 'secret' | 'secretHash'>

export interface Authenticated {
  readonly user: Person
  readonly session: Session
}

export interface AuthenticatedDevice {
  readonly user: Person
  readonly device: DeviceListing
}

export interface NewSession extends Authenticated {
  /** 256 random bits in base64url. Only its SHA-256 is stored. */
  readonly token: string
}

export interface SignIn {
  readonly name: string
  readonly password: string
  /** What the list of sessions shows: the browser or program, as it names itself; cut at 300 characters. */
  readonly client: string
  /** The client's network address, for throttling. */
  readonly address: string
}

export interface NewUser {
  readonly name: string
  readonly password: string
  readonly role?: Role | undefined
  readonly quotaBytes?: number | undefined
  readonly language?: User['language'] | undefined
}

export interface UserChange {
  readonly name?: string | undefined
  readonly password?: string | undefined
  readonly role?: Role | undefined
  readonly disabled?: boolean | undefined
  readonly language?: User['language'] | undefined
  /** null: the server's setting. */
  readonly quotaBytes?: number | null | undefined
}

export interface PasswordChange {
  readonly user: Id
  readonly oldPassword: string
  readonly newPassword: string
  /** The session that goes on. */
  readonly session?: Id | undefined
  readonly address: string
}

export interface NewInvitation {
  readonly role: Role
  readonly createdBy: Id
  readonly expiresAt: Timestamp
  readonly note?: string | undefined
}

/** How a Subsonic client says who it is: an API key; or a user's name with a salted md5, or with the secret itself. */
export type DeviceCredentials =
  | { readonly apiKey: string }
  | { readonly name: string; readonly token: string; readonly salt: string }
  | { readonly name: string; readonly password: string }
