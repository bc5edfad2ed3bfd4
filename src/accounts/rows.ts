import { z } from 'zod'
import type { Index } from '../index/index.ts'
import { remember } from '../index/remember.ts'
import { CodedError } from '../protocol/errors.ts'
import { device, invitation, session, user } from '../protocol/facts/accounts.ts'
import type { Authenticated, Person } from './accounts.ts'
import { foldName } from './names.ts'

/** Questions to the tables of `projection.ts`: each takes some microseconds on the main thread. */
export type Rows = ReturnType<typeof createRows>

const person = user.omit({ passwordHash: true })

/** What is read, and what a condition needs to write it again. */
export interface Row<Value> {
  readonly id: string
  readonly revision: number
  readonly value: Value
}

export function createRows(index: Index) {
  const statement = (sql: string) => {
    if (index.progress.state === 'filling') throw new CodedError('BEHIND', 'the index is being filled')
    return index.statement(sql)
  }
  const one = (sql: string, ...parameters: (string | number)[]) => statement(sql).get(...parameters)
  const all = (sql: string, ...parameters: (string | number)[]) => statement(sql).all(...parameters)
  const parse = <Schema extends z.ZodType>(schema: Schema, json: unknown) =>
    schema.parse(JSON.parse(z.string().parse(json)))

  function sessionOf(tokenHash: string): Authenticated | null {
    const row = one(
      `SELECT session, person FROM accounts_sessions s JOIN accounts_users u ON u.id = s.user
       WHERE token_hash = ?`,
      tokenHash,
    )
    return row === undefined
      ? null
      : { user: parse(person, row.person), session: parse(session, row.session) }
  }

  return {
    hasUsers: () => one('SELECT 1 FROM accounts_users LIMIT 1') !== undefined,
    users: (): Person[] =>
      all('SELECT person FROM accounts_users ORDER BY name_key').map((row) => parse(person, row.person)),
    user(id: string): Person | null {
      const row = one('SELECT person FROM accounts_users WHERE id = ?', id)
      return row === undefined ? null : parse(person, row.person)
    },
    userByName(name: string): Person | null {
      const row = one('SELECT person FROM accounts_users WHERE name_key = ?', foldName(name))
      return row === undefined ? null : parse(person, row.person)
    },
    sessionOf: remember(index, (tokenHash: string) => tokenHash, sessionOf),
    sessions: (userId: string) =>
      all('SELECT token_hash AS id, revision, session FROM accounts_sessions WHERE user = ?', userId).map(
        (row) => rowOf(row, parse(session, row.session)),
      ),
    /** Sessions past their end, and those whose user is gone. */
    endedSessions: (now: number, limit: number) =>
      all(
        `SELECT token_hash AS id, revision, session FROM accounts_sessions
         WHERE expires_at <= ? OR user NOT IN (SELECT id FROM accounts_users) LIMIT ?`,
        now,
        limit,
      ).map((row) => rowOf(row, parse(session, row.session))),
    invitations: () =>
      all('SELECT token_hash AS id, revision, invitation FROM accounts_invitations').map((row) =>
        rowOf(row, parse(invitation, row.invitation)),
      ),
    invitation(tokenHash: string) {
      const row = one('SELECT invitation FROM accounts_invitations WHERE token_hash = ?', tokenHash)
      return row === undefined ? null : parse(invitation, row.invitation)
    },
    devices: (userId: string) =>
      all('SELECT id, revision, device FROM accounts_devices WHERE user = ?', userId).map((row) =>
        rowOf(row, parse(device, row.device)),
      ),
    deviceBySecret(secretHash: string) {
      const row = one('SELECT device FROM accounts_devices WHERE secret_hash = ?', secretHash)
      return row === undefined ? null : parse(device, row.device)
    },
    orphanedDevices: (limit: number) =>
      all(
        `SELECT id, revision, device FROM accounts_devices
         WHERE user NOT IN (SELECT id FROM accounts_users) LIMIT ?`,
        limit,
      ).map((row) => rowOf(row, parse(device, row.device))),
  }
}

function rowOf<Value>(row: Record<string, unknown>, value: Value): Row<Value> {
  return { id: z.string().parse(row['id']), revision: z.number().parse(row['revision']), value }
}
