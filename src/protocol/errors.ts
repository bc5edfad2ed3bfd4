/**
 * Every error that a person or a program can meet, by code. The code is the contract (law S4): it never changes its
 * meaning, `docs/errors.md` explains each, and a test holds this table and that page together.
 *
 * `status` is the HTTP status at the edge; `title` says what happened; `help` says what to do about it.
 */
export const errorCodes = {
  // requests
  BAD_REQUEST: {
    status: 400,
    title: 'The request is not well formed',
    help: 'Compare it with /openapi.json; the detail names the field that is wrong.',
  },
  NOT_SIGNED_IN: {
    status: 401,
    title: 'Nobody is signed in',
    help: 'Sign in, or send the token of a session in the Authorization header.',
  },
  FORBIDDEN: {
    status: 403,
    title: 'This account may not do that',
    help: 'Ask an administrator of this server for the right to do it.',
  },
  NOT_FOUND: {
    status: 404,
    title: 'There is no such thing here',
    help: 'It may have been deleted, or belong to a library that this account cannot see.',
  },
  METHOD_NOT_ALLOWED: {
    status: 405,
    title: 'That path does not take this method',
    help: 'The Allow header names the methods that it takes; /openapi.json says what each of them does.',
  },
  CURSOR_UNKNOWN: {
    status: 400,
    title: 'The cursor is none that this list has given',
    help: 'Take it unchanged from `next` of the page before, of the same list; or begin again without one.',
  },
  CONFLICT: {
    status: 409,
    title: 'Someone else changed it at the same time',
    help: 'Load it again and repeat the change.',
  },
  TOO_LARGE: {
    status: 413,
    title: 'The request is larger than the server accepts',
    help: 'Send less at a time; the detail names the limit.',
  },
  RANGE_NOT_SATISFIABLE: {
    status: 416,
    title: 'The range lies outside the file',
    help: 'Ask for a range within the size that Content-Range names.',
  },
  TOO_MANY_REQUESTS: {
    status: 429,
    title: 'Too many attempts',
    help: 'Wait for the time that Retry-After names, then try again.',
  },
  INTERNAL: {
    status: 500,
    title: 'Something broke inside the server',
    help: 'Look for the request id in the log; the entry beside it says what broke.',
  },
  BEHIND: {
    status: 503,
    title: 'This server has not caught up with that change yet',
    help: 'Repeat the request in a moment.',
  },
  UNREACHABLE: {
    status: 503,
    title: 'A part of the service cannot be reached',
    help: 'Nothing was saved, and music plays on. Try again in a moment; `npm run hocket -- status` shows which part is away.',
  },
  ROLE_AWAY: {
    status: 503,
    title: 'No machine that does this is up',
    help: 'The detail names the role. `npm run hocket -- status` shows which machines have it: start one of them, or give the role to another with --roles.',
  },
  ROLE_ELSEWHERE: {
    status: 421,
    title: 'Another machine does this',
    help: 'The detail names the role. Ask a machine that has it; `npm run hocket -- status` shows them.',
  },
  TIMED_OUT: {
    status: 504,
    title: 'It took longer than it may',
    help: 'Whether it was saved is not known, and music plays on. Look again in a moment; `npm run hocket -- status` shows what is away or under load.',
  },

  // gateway
  CROSS_SITE: {
    status: 403,
    title: "The request comes from another site's page",
    help: 'Use the pages of this server itself. A program sends its token in the Authorization header instead of the cookie.',
  },
  CONTENT_TYPE_UNKNOWN: {
    status: 415,
    title: 'The content type of the request is not one that is understood here',
    help: 'Send JSON as application/json; /openapi.json names the types of each route.',
  },
  WRONG_SETUP_CODE: {
    status: 403,
    title: 'The code for the first start is wrong or missing',
    help: "Copy the code from the server's log, where it was printed at its start.",
  },
  NOT_READY: {
    status: 503,
    title: 'The server is still getting ready',
    help: 'Wait a moment: it is reading its store. `npm run hocket -- status` shows how far it is.',
  },
  PORT_IN_USE: {
    status: 409,
    title: 'Another program listens on this port',
    help: 'Stop that program, or give Hocket another port with --port.',
  },
  ADDRESS_UNUSABLE: {
    status: 400,
    title: 'The server cannot listen on this address',
    help: 'Give an address of this machine with --host and a port above 1023 with --port; the detail says what is wrong.',
  },
  PLAYER_NOT_BUILT: {
    status: 503,
    title: 'The web player has not been built',
    help: 'Start the server with `npm start`, which builds it, or run `npm run build`.',
  },

  // media
  MEDIA_UNREADABLE: {
    status: 422,
    title: 'No audio can be read from this file',
    help: 'Play the file with another program: it may be truncated, encrypted, or not audio. Replace it, then scan again.',
  },
  COVER_UNREADABLE: {
    status: 422,
    title: 'The picture cannot be read',
    help: 'Replace the embedded picture or the image file by a JPEG, PNG or WebP of less than 100 megapixels.',
  },
  TRANSCODER_CRASHED: {
    status: 500,
    title: 'The process that converts audio died',
    help: 'Try again, or play the original format; if it is always this file, it is likely damaged. `npm run hocket -- doctor` tests the converter.',
  },
  TRANSCODER_BUSY: {
    status: 503,
    title: 'Too many conversions are waiting',
    help: 'Try again in a moment, or play the original format, which needs no conversion.',
  },
  DOWNLOADS_BUSY: {
    status: 429,
    title: 'This account downloads several zips already',
    help: 'Wait until one of them has ended, or break one off.',
  },
  // bytes
  BLOB_MISSING: {
    status: 404,
    title: 'The bytes of this file are not on this server',
    help: 'Restore them from a backup, or upload the file again; `npm run hocket -- doctor` lists what is missing.',
  },
  BLOB_CORRUPT: {
    status: 503,
    title: 'The bytes of this file are damaged on the disk',
    help: 'They are not served any more. Upload the file again or restore a backup, and check the disk.',
  },
  BLOB_MISMATCH: {
    status: 422,
    title: 'The bytes are not those that were announced',
    help: 'Send the file again; it was damaged on its way or has changed meanwhile.',
  },
  ALREADY_IN_CLUSTER: {
    status: 409,
    title: 'This machine is a node of a cluster already',
    help: 'Start it with `npm run hocket -- up`; `npm run hocket -- cluster invite` prints a line for another machine.',
  },
  JOIN_NOT_EMPTY: {
    status: 409,
    title: 'This data folder holds a library of its own',
    help: 'Join with an empty data folder (--data), and add the music folders again there; the accounts are those of the cluster.',
  },
  NOT_IN_CLUSTER: {
    status: 409,
    title: 'This machine stands alone',
    help: 'Make a cluster of it with `npm run hocket -- cluster init`; other machines then join with the line that it prints.',
  },
  CLUSTER_NOT_LAST: {
    status: 409,
    title: 'Other machines still take part in the cluster',
    help: 'Empty each of them with `npm run hocket -- drain`, then give the command again: it waits until everything is here, and removes them.',
  },
  OFFICE_LOST: {
    status: 409,
    title: 'Another node has taken over this work',
    help: 'Nothing needs to be done: the node that has taken over does it.',
  },
  LAST_COPY: {
    status: 409,
    title: 'This is the last sound copy of these bytes',
    help: 'Make another copy first; the last one is never deleted.',
  },
  COPIES_TOO_FEW: {
    status: 503,
    title: 'Too few machines are up to keep this safely',
    help: 'Nothing was lost and nothing acknowledged: repeat it when more nodes are up, `npm run hocket -- status` shows them. A node that is gone for good is taken out with `npm run hocket -- remove`.',
  },
  DISK_FULL: {
    status: 507,
    title: 'The disk of this server is full',
    help: 'Free space on the disk that holds the data folder; what was half written has been removed.',
  },
  DISK_READ_ONLY: {
    status: 503,
    title: 'The data folder cannot be written to',
    help: 'Mount its disk writable and give the account that runs Hocket the right to write there.',
  },
  DISK_FAILED: {
    status: 503,
    title: 'The disk reported an error',
    help: 'Look at the system log and the state of the disk; make a backup now.',
  },
  FILE_MISSING: {
    status: 404,
    title: 'The file is not in the music folder any more',
    help: 'Put it back or scan the library again; check that its disk is mounted.',
  },
  FILE_CHANGED: {
    status: 409,
    title: 'The file in the music folder has changed since it was read',
    help: 'Scan the library again, then repeat the request.',
  },
  FILE_UNREADABLE: {
    status: 403,
    title: 'The file in the music folder cannot be read',
    help: 'Give the account that runs Hocket the right to read it; links must not lead out of the music folder.',
  },

  // store
  STORE_CORRUPT: {
    status: 503,
    title: 'The database of facts is damaged',
    help: 'Stop Hocket and restore the newest backup with `npm run hocket -- restore`; keep the damaged file until that has worked.',
  },
  STORE_NEWER: {
    status: 503,
    title: 'The database of facts was made by a newer version of Hocket',
    help: 'Start that newer version again, or restore a backup that this version made. Nothing has been changed.',
  },
  STORE_FULL: {
    status: 507,
    title: 'The database of facts has reached its quota',
    help: 'Nothing can be written until there is room: `npm run hocket -- status` shows its size, and docs/errors.md says how to make room.',
  },
  STORE_DIVERGED: {
    status: 503,
    title: 'The members of the store do not hold the same',
    help: 'Replace the member that is wrong, or restore the newest backup; the log of etcd names it.',
  },
  STORE_REFUSED: {
    status: 502,
    title: 'The store refuses the request of this node',
    help: 'The detail says what etcd answered; check the certificate of this node and the rights that it has there.',
  },
  STORE_NOT_EMPTY: {
    status: 409,
    title: 'The store holds facts of something else',
    help: 'Name an etcd that holds no other Hocket: one etcd is for one cluster. Nothing has been changed.',
  },
  STORE_RETIRED: {
    status: 409,
    title: 'The facts have moved to another store',
    help: 'If `cluster init` or `cluster leave` was interrupted, give it again: it goes on where it was. Else start this node with the store that the detail names, or restore a backup into an empty folder.',
  },
  STORE_INCOMPLETE: {
    status: 409,
    title: 'The facts have not all been moved into this store yet',
    help: 'Give the command that moves them again: it goes on where it was. Until then the former store counts.',
  },
  MOVE_DIFFERS: {
    status: 500,
    title: 'The store does not hold what was copied into it',
    help: 'The former store still counts. Check that nothing else writes into the new one, then give the command again.',
  },
  ETCD_MISSING: {
    status: 503,
    title: 'The program etcd is not installed on this machine',
    help: 'Install it (Debian and Ubuntu: `apt install etcd-server`), version 3.4 or newer, or name an etcd that runs with --store.',
  },
  ETCD_FAILED: {
    status: 503,
    title: 'The program etcd does not run',
    help: 'The detail and the log say what etcd complains of; check its ports, its disk and its certificates.',
  },
  COMPACTED: {
    status: 410,
    title: 'The history from there on has been dropped',
    help: 'List again, and watch from the revision of that list.',
  },
  LEASE_ENDED: {
    status: 409,
    title: 'The lease has ended',
    help: 'Take a new lease and write again.',
  },
  FACT_NEWER: {
    status: 409,
    title: 'A newer version of Hocket has written this',
    help: 'Bring this node to that newer version. Until then it leaves the record as it is.',
  },
  FACT_DAMAGED: {
    status: 500,
    title: 'A stored record cannot be read',
    help: 'Report it with the version of Hocket; the log names the key. Restoring a backup brings the record back.',
  },

  // accounts
  SETUP_DONE: {
    status: 409,
    title: 'The first administrator exists already',
    help: 'Sign in, or ask the administrator for an invitation.',
  },
  WRONG_CREDENTIALS: {
    status: 401,
    title: 'The name or the password is wrong',
    help: 'Try again, or ask an administrator for a new password.',
  },
  ACCOUNT_DISABLED: {
    status: 403,
    title: 'This account has been disabled',
    help: 'Ask an administrator of this server to enable it.',
  },
  NAME_TAKEN: {
    status: 409,
    title: 'Another account has this name',
    help: 'Choose another name; capital letters make no difference.',
  },
  LAST_ADMINISTRATOR: {
    status: 409,
    title: 'This is the last administrator',
    help: 'Make another account an administrator first.',
  },
  INVITATION_ENDED: {
    status: 410,
    title: 'This invitation is no longer good',
    help: 'Ask who sent it for a new one.',
  },
  SECRETS_UNREADABLE: {
    status: 503,
    title: 'The key of this installation cannot be read',
    help: 'Restore the folder `secrets` of the data folder from a backup; the detail says what is wrong.',
  },
  // scanning and libraries
  FILE_EMPTY: {
    status: 422,
    title: 'The file is empty',
    help: 'Copy the file again from where it came; nothing of it arrived.',
  },
  FILE_NOT_AUDIO: {
    status: 422,
    title: 'The file is not audio',
    help: 'Look at what it is; rename it, or take it out of the music folder.',
  },
  FILE_DAMAGED: {
    status: 422,
    title: 'The file is damaged',
    help: 'Play it with another program; if that fails too, replace it, then scan again.',
  },
  FILE_DECAYED: {
    status: 503,
    title: 'The file has been damaged since it was read',
    help: 'Replace it from a backup or another copy, and check the disk: its bytes changed though nobody wrote to it.',
  },
  FILE_ENCRYPTED: {
    status: 422,
    title: 'The file is encrypted',
    help: 'Get a copy without copy protection; Hocket cannot play protected files.',
  },
  FILE_TRUNCATED: {
    status: 422,
    title: 'The file ends too early',
    help: 'Copy the file again from where it came; it plays up to where it ends.',
  },
  FILE_MISLABELLED: {
    status: 422,
    title: 'The file is of another kind than its name says',
    help: 'Rename it with the suffix that the detail names; it plays all the same.',
  },
  TAGS_TOO_LARGE: {
    status: 422,
    title: 'The tags of the file are too large',
    help: 'Take the pictures or foreign data out of its tags with a tag editor.',
  },
  COVER_NOT_AN_IMAGE: {
    status: 422,
    title: 'The cover in the file is not a picture',
    help: 'Replace the picture in its tags with a JPEG or PNG.',
  },
  READER_FAILED: {
    status: 422,
    title: 'Reading the file crashed the reader, or took too long',
    help: 'Play the file with another program and replace it if that fails too; on a slow disk, scan again.',
  },
  PATH_TOO_LONG: {
    status: 422,
    title: 'The path of the file is too long',
    help: 'Shorten the names of its folders; a path can have 4,095 bytes.',
  },
  LINK_OUTSIDE: {
    status: 422,
    title: 'The link leads out of the music folder',
    help: 'Add the folder that it leads to as a library of its own.',
  },
  LINK_CIRCLE: {
    status: 422,
    title: 'The link leads back into the folders above it',
    help: 'Remove the link; what it leads to is found by its real path.',
  },
  LIBRARY_GONE: {
    status: 503,
    title: 'The music folder is not there',
    help: 'Mount its disk or put the folder back, then scan again. If it is to be empty, run a full scan.',
  },
  LIBRARY_NOT_A_FOLDER: {
    status: 400,
    title: 'That is not a folder that Hocket can read',
    help: 'Give the absolute path of an existing folder that the account that runs Hocket may read.',
  },
  LIBRARY_NESTED: {
    status: 409,
    title: 'That folder lies in another library, or has one in it',
    help: 'Choose a folder that shares nothing with the other libraries, or remove the other library first.',
  },
  TOO_MANY_PROBLEMS: {
    status: 422,
    title: 'There are more problems in this library than are listed',
    help: 'Mend some of those that are listed, then scan again.',
  },

  // outbox
  SERVICE_REFUSED: {
    status: 422,
    title: 'The service outside refuses this account or token',
    help: 'Make a new token there, and connect again: what waits is then delivered.',
  },
  SERVICE_UNAVAILABLE: {
    status: 503,
    title: 'The service outside cannot be reached, or has trouble',
    help: 'Nothing is lost: it is tried again by itself. Compare the address if it never works; the detail says what happened.',
  },
  SERVICE_NOT_SET_UP: {
    status: 409,
    title: 'This server is not known to Last.fm yet',
    help: 'An administrator enters the API key and shared secret of this server under Settings.',
  },
  ADDRESS_FORBIDDEN: {
    status: 403,
    title: 'The server may not call this address for this account',
    help: 'Give an address that begins with https:// and is reached from the internet. Only administrators may name addresses inside the network.',
  },
  FEED_UNREADABLE: {
    status: 422,
    title: 'What lies at the address is no feed of a podcast',
    help: 'Open the address in a browser: it must show RSS or Atom, not a page that leads to it.',
  },
  STATION_UNPLAYABLE: {
    status: 422,
    title: 'What lies at the station’s address is no stream of audio',
    help: 'Give the address of the stream itself, in MP3, AAC or Ogg: not a web page, and not HLS (.m3u8). Apps may play what the web player cannot.',
  },
  DELIVERY_REFUSED: {
    status: 422,
    title: 'The service outside did not want something that was sent to it',
    help: 'It was given up, and the rest goes on; the detail says what the service answered.',
  },

  // starting, and the command line
  SETTING_INVALID: {
    status: 400,
    title: 'A setting is not valid',
    help: 'Correct the flag or variable that the detail names; `npm run hocket -- --help` shows them all.',
  },
  DATA_FOLDER_IN_USE: {
    status: 409,
    title: 'Another Hocket is running on this data folder',
    help: 'Stop that one first, or give this one another folder with --data.',
  },
  DATA_FOLDER_UNUSABLE: {
    status: 503,
    title: 'The data folder cannot be used',
    help: 'Give the path of a folder with --data, or of one that can be made.',
  },
  DATA_FOLDER_NOT_EMPTY: {
    status: 409,
    title: 'The data folder holds an instance already',
    help: 'Restore into an empty folder with --data, or move away what is there.',
  },
  NOT_RUNNING: {
    status: 503,
    title: 'No Hocket is running on this data folder',
    help: 'Start it with `npm start`, or name the folder of the one that runs with --data.',
  },
  BACKUP_UNREADABLE: {
    status: 400,
    title: 'The backup cannot be read',
    help: 'Check the path, and that you may read the file.',
  },
  BACKUP_DAMAGED: {
    status: 422,
    title: 'The backup is damaged',
    help: 'Nothing was restored. Copy the file again from where it was kept, or take an older backup.',
  },
  BACKUP_NEWER: {
    status: 422,
    title: 'The backup was made by a newer version of Hocket',
    help: 'Install that version, then restore.',
  },
  BACKUP_NOT_WRITTEN: {
    status: 507,
    title: 'The backup could not be written',
    help: 'Check that the folder exists, that you may write there, and that the disk has room; then repeat it.',
  },
  // shares
  SHARE_ENDED: {
    status: 410,
    title: 'This link has ended',
    help: 'Ask whoever gave it to you for a new one: it was made for a certain time, or what it showed is gone.',
  },
  // uploads
  UPLOAD_NOT_AUDIO: {
    status: 415,
    title: 'The file is no audio that this server can read',
    help: 'Upload music files that play elsewhere: MP3, FLAC, Ogg, Opus, M4A, WAV, AIFF and the like.',
  },
  QUOTA_EXCEEDED: {
    status: 413,
    title: 'There is no room left for uploads of this account',
    help: 'Delete some of your uploads, or ask an administrator for a larger quota.',
  },
  UPLOAD_EXPIRED: {
    status: 410,
    title: 'This upload was not finished in time and has been removed',
    help: 'Start the upload again.',
  },
  UPLOAD_LOCKED: {
    status: 423,
    title: 'Another request is sending this upload',
    help: 'Wait until it has ended, ask for the offset with HEAD, and go on from there.',
  },
  // the cluster
  JOIN_LINE_INVALID: {
    status: 400,
    title: 'This is no join line',
    help: 'Copy the whole line that begins with hocket:// from the node that made it, or make a new one there with `npm run hocket -- cluster invite`.',
  },
  DISCOVERY_EMPTY: {
    status: 404,
    title: 'No machine of a cluster was found on this network',
    help: 'Join with the line that `npm run hocket -- cluster invite` prints on a machine of the cluster: `npm run hocket -- up --join LINE`. Finding needs UDP 5353 or 4651 between the machines.',
  },
  JOIN_TOKEN_UNKNOWN: {
    status: 403,
    title: 'The cluster does not know this join line',
    help: 'Copy the whole line again, or make a new one on a node of the cluster with `npm run hocket -- cluster invite`.',
  },
  JOIN_TOKEN_EXPIRED: {
    status: 410,
    title: 'The join line has expired',
    help: 'Make a new one on a node of the cluster with `npm run hocket -- cluster invite`; it holds for 24 hours.',
  },
  JOIN_TOKEN_USED: {
    status: 409,
    title: 'The join line has let another node in already',
    help: 'Each line lets one node in: make a new one with `npm run hocket -- cluster invite`. If you did not use this one, look with `npm run hocket -- status` who did, and remove that node.',
  },
  AUTHORITY_UNKNOWN: {
    status: 403,
    title: 'What answers there is not the cluster of the join line',
    help: 'Check the address in the line, and that no proxy stands between: nodes must reach one another directly.',
  },
  AUTHORITY_DIFFERS: {
    status: 503,
    title: 'The other machines have another certificate authority than this one',
    help: 'Look with `npm run hocket -- status` on one of them. If this machine is not listed there, it was removed while it was off: start it with an empty data folder and a new join line.',
  },
  NODE_REFUSED: {
    status: 403,
    title: 'The caller has not proved to be a node of this cluster',
    help: 'Only nodes that have joined may ask here. Check the clock of the machine that asked; if it was away for months, let it join again with `npm run hocket -- cluster invite`.',
  },
  NODE_REMOVED: {
    status: 403,
    title: 'This node has been removed from the cluster',
    help: 'To let it in again, start it with an empty data folder and a new join line from `npm run hocket -- cluster invite`.',
  },
  NODE_HOLDS_STORE: {
    status: 409,
    title: 'The facts lie on this machine only',
    help: 'Empty it first (`npm run hocket -- drain`): another machine takes them over, within a minute. Then remove it.',
  },
  NODE_NOT_DRAINED: {
    status: 409,
    title: 'This machine is up and has not been emptied',
    help: 'Empty it first (`npm run hocket -- drain`), and remove it when `status` says that it is drained. One that has just died counts as up for some seconds. Give --now to remove it at once, such as one that was stolen: what only it has is lost.',
  },
  NODE_UNKNOWN: {
    status: 404,
    title: 'No machine of this cluster has that name',
    help: '`npm run hocket -- status` lists them; the name or the id is given as it stands there.',
  },
  NODE_AMBIGUOUS: {
    status: 409,
    title: 'Several machines have that name',
    help: 'Give the id of the one that you mean: the detail lists them. `npm run hocket -- cluster node ID --name …` gives one another name.',
  },
  NODE_DIFFERS: {
    status: 502,
    title: 'The running Hocket is of another version than this command',
    help: 'It was started before this folder was upgraded, or from another folder: start it again, then repeat the command.',
  },
  NODE_DUPLICATE: {
    status: 409,
    title: 'Another running node has the same identity',
    help: 'A data folder was copied and both copies run. Stop one of them; to make the copy a node of its own, start it with an empty data folder and a join line.',
  },
  NODE_IDENTITY_DAMAGED: {
    status: 503,
    title: 'The identity of this node cannot be read',
    help: 'Restore `node/identity.json` in the data folder from a backup; or remove the node from the cluster and let it join again with an empty data folder.',
  },
} as const satisfies Record<string, ErrorDefinition>

export interface ErrorDefinition {
  readonly status: number
  readonly title: string
  readonly help: string
}

export type ErrorCode = keyof typeof errorCodes

/** An error with a code of the table above. `detail` says what is particular about this one; it may be shown to anyone. */
export class CodedError extends Error {
  readonly code: ErrorCode
  readonly detail: string | undefined

  constructor(code: ErrorCode, detail?: string, options?: { cause?: unknown }) {
    super(detail === undefined ? errorCodes[code].title : `${errorCodes[code].title}: ${detail}`, options)
    this.name = 'CodedError'
    this.code = code
    this.detail = detail
  }
}

/** Whether `error` is a CodedError, of this code where one is named. */
export function isCoded(error: unknown, code?: ErrorCode): error is CodedError {
  return error instanceof CodedError && (code === undefined || error.code === code)
}
