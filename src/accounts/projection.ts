import type { DatabaseSync } from 'node:sqlite'
import type { Applier, IndexedChange, Projection } from '../index/projection.ts'
import { devices, invitations, sessions, users } from './collections.ts'
import { foldName } from './names.ts'

/**
 * Accounts as `rows.ts` reads them. Passwords' hashes stay in the store; a device's secret is here as it is there,
 * encrypted, because Subsonic clients must be let in while the store has no quorum.
 */
export const projection: Projection = {
  name: 'accounts',
  version: 1,
  prefixes: [users.prefix, sessions.prefix, invitations.prefix, devices.prefix],
  schema: `
    CREATE TABLE accounts_users (
      id TEXT PRIMARY KEY, name_key TEXT NOT NULL, person TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX accounts_users_name ON accounts_users (name_key);
    CREATE TABLE accounts_sessions (
      token_hash TEXT PRIMARY KEY, revision INTEGER NOT NULL, id TEXT NOT NULL, user TEXT NOT NULL,
      expires_at INTEGER NOT NULL, session TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX accounts_sessions_user ON accounts_sessions (user);
    CREATE INDEX accounts_sessions_expiry ON accounts_sessions (expires_at);
    CREATE TABLE accounts_invitations (
      token_hash TEXT PRIMARY KEY, revision INTEGER NOT NULL, id TEXT NOT NULL, expires_at INTEGER NOT NULL,
      invitation TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE accounts_devices (
      id TEXT PRIMARY KEY, revision INTEGER NOT NULL, user TEXT NOT NULL, secret_hash TEXT NOT NULL,
      device TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX accounts_devices_user ON accounts_devices (user);
    CREATE INDEX accounts_devices_secret ON accounts_devices (secret_hash);
  `,
  open: openApplier,
}

function openApplier(db: DatabaseSync): Applier {
  const put = {
    user: db.prepare('INSERT OR REPLACE INTO accounts_users VALUES (?, ?, ?)'),
    session: db.prepare('INSERT OR REPLACE INTO accounts_sessions VALUES (?, ?, ?, ?, ?, ?)'),
    invitation: db.prepare('INSERT OR REPLACE INTO accounts_invitations VALUES (?, ?, ?, ?, ?)'),
    device: db.prepare('INSERT OR REPLACE INTO accounts_devices VALUES (?, ?, ?, ?, ?)'),
  }
  const remove = {
    user: db.prepare('DELETE FROM accounts_users WHERE id = ?'),
    session: db.prepare('DELETE FROM accounts_sessions WHERE token_hash = ?'),
    invitation: db.prepare('DELETE FROM accounts_invitations WHERE token_hash = ?'),
    device: db.prepare('DELETE FROM accounts_devices WHERE id = ?'),
  }

  function applyUser({ key, value }: IndexedChange) {
    const id = users.id(key)
    if (value === null) return remove.user.run(id)
    const { passwordHash: _, ...person } = users.decode(value)
    return put.user.run(id, foldName(person.name), JSON.stringify(person))
  }

  function applySession({ key, value, revision }: IndexedChange) {
    const hash = sessions.id(key)
    if (value === null) return remove.session.run(hash)
    const session = sessions.decode(value)
    return put.session.run(
      hash,
      revision,
      session.id,
      session.user,
      session.expiresAt,
      JSON.stringify(session),
    )
  }

  function applyInvitation({ key, value, revision }: IndexedChange) {
    const hash = invitations.id(key)
    if (value === null) return remove.invitation.run(hash)
    const invitation = invitations.decode(value)
    return put.invitation.run(hash, revision, invitation.id, invitation.expiresAt, JSON.stringify(invitation))
  }

  function applyDevice({ key, value, revision }: IndexedChange) {
    const id = devices.id(key)
    if (value === null) return remove.device.run(id)
    const device = devices.decode(value)
    return put.device.run(id, revision, device.user, device.secretHash, JSON.stringify(device))
  }

  return {
    apply(change) {
      if (change.key.startsWith(users.prefix)) applyUser(change)
      else if (change.key.startsWith(sessions.prefix)) applySession(change)
      else if (change.key.startsWith(invitations.prefix)) applyInvitation(change)
      else if (change.key.startsWith(devices.prefix)) applyDevice(change)
    },
  }
}
