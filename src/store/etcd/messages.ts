import { bytes, type Field, fields, flag, hexadecimal, message, number, text } from './wire.ts'

/**
 * The messages of etcd's API that we send and read: https://etcd.io/docs/v3.4/learning/api/ describes them, and the
 * field numbers are those of its `rpc.proto` and `kv.proto`, which later versions have only added to.
 */
const header = 1

/** Which store answered, and its revision then. */
export interface Header {
  /** The cluster's id, in hexadecimal digits. */
  readonly cluster: string
  readonly member: string
  readonly revision: number
}

function readHeader(field: Field): Header {
  let cluster = ''
  let member = ''
  let revision = 0
  for (const each of fields(bytes(field))) {
    if (each.number === 1) cluster = hexadecimal(each)
    else if (each.number === 2) member = hexadecimal(each)
    else if (each.number === 3) revision = number(each)
  }
  return { cluster, member, revision }
}

const noHeader: Header = { cluster: '', member: '', revision: 0 }

export interface KeyValue {
  readonly key: string
  readonly value: Uint8Array
  /** The revision of the key's last change. */
  readonly revision: number
  readonly lease: string | undefined
}

const empty = new Uint8Array(0)

function readKeyValue(field: Field): KeyValue {
  let key = ''
  let value: Uint8Array = empty
  let revision = 0
  let lease: string | undefined
  for (const each of fields(bytes(field))) {
    if (each.number === 1) key = text(each)
    else if (each.number === 3) revision = number(each)
    else if (each.number === 5) value = bytes(each)
    else if (each.number === 6) lease = hexadecimal(each)
  }
  return { key, value, revision, lease }
}

/** Every key from `from` up to, and without, `to`. Without `to`: that key alone. */
export interface Range {
  readonly from: string
  readonly to?: Uint8Array
}

const none = new Uint8Array(0)

export const range = ({ from, to = none }: Range, limit = 0): Uint8Array =>
  message([1, from], [2, to], [3, limit])

export interface RangeAnswer {
  readonly header: Header
  readonly entries: readonly KeyValue[]
  readonly more: boolean
}

export function readRange(answer: Uint8Array): RangeAnswer {
  let of = noHeader
  let more = false
  const entries: KeyValue[] = []
  for (const field of fields(answer)) {
    if (field.number === header) of = readHeader(field)
    else if (field.number === 2) entries.push(readKeyValue(field))
    else if (field.number === 3) more = flag(field)
  }
  return { header: of, entries, more }
}

const modRevision = 2

/** Holds if the key's last change has this revision; 0: if there is no such key. */
export const condition = (key: string, revision: number): Uint8Array =>
  message([2, modRevision], [3, key], [6, revision])

export const put = (key: string, value: Uint8Array, lease: bigint): Uint8Array =>
  message([2, message([1, key], [2, value], [3, lease])])

export const deletion = (key: string): Uint8Array => message([3, message([1, key])])

export const transaction = (conditions: readonly Uint8Array[], writes: readonly Uint8Array[]): Uint8Array =>
  message(...conditions.map((each) => [1, each] as const), ...writes.map((each) => [2, each] as const))

export function readTransaction(answer: Uint8Array): { ok: boolean; revision: number } {
  let ok = false
  let revision = 0
  for (const field of fields(answer)) {
    if (field.number === header) revision = readHeader(field).revision
    else if (field.number === 2) ok = flag(field)
  }
  return { ok, revision }
}

export const compaction = (revision: number): Uint8Array => message([1, revision])

export const grant = (seconds: number, lease: bigint): Uint8Array => message([1, seconds], [2, lease])
export const lease = (id: bigint): Uint8Array => message([1, id])

/** The seconds that a lease has after its renewal; 0 where it has ended. */
export function readRenewal(answer: Uint8Array): number {
  for (const field of fields(answer)) if (field.number === 3) return number(field)
  return 0
}

/** Watches a range from `revision` on, that one included; asks for progress, and for large answers in fragments. */
export const watch = ({ from, to = none }: Range, revision: number): Uint8Array =>
  message([1, message([1, from], [2, to], [3, revision], [4, true], [8, true])])

export interface WatchAnswer {
  readonly header: Header
  readonly created: boolean
  readonly canceled: boolean
  readonly reason: string
  /** Not 0: the history up to there has been dropped, and the watch with it. */
  readonly compacted: number
  /** More of the same answer follows, and may go on with the last event's revision. */
  readonly fragment: boolean
  readonly events: readonly WatchEvent[]
}

export interface WatchEvent extends KeyValue {
  readonly deleted: boolean
}

export function readWatch(answer: Uint8Array): WatchAnswer {
  let of = noHeader
  let created = false
  let canceled = false
  let reason = ''
  let compacted = 0
  let fragment = false
  const events: WatchEvent[] = []
  for (const field of fields(answer)) {
    if (field.number === header) of = readHeader(field)
    else if (field.number === 3) created = flag(field)
    else if (field.number === 4) canceled = flag(field)
    else if (field.number === 5) compacted = number(field)
    else if (field.number === 6) reason = text(field)
    else if (field.number === 7) fragment = flag(field)
    else if (field.number === 11) events.push(readEvent(field))
  }
  return { header: of, created, canceled, reason, compacted, fragment, events }
}

function readEvent(field: Field): WatchEvent {
  let deleted = false
  let entry: KeyValue = { key: '', value: empty, revision: 0, lease: undefined }
  for (const each of fields(bytes(field))) {
    if (each.number === 1) deleted = flag(each)
    else if (each.number === 2) entry = readKeyValue(each)
  }
  return { ...entry, deleted }
}

/** What one member says of itself. */
export interface MemberStatus {
  readonly header: Header
  readonly version: string
  /** Bytes of its database: in all, and without what compaction has freed within it. */
  readonly size: number
  readonly sizeInUse: number
  /** The id of the leader that it knows; undefined: none. */
  readonly leader: string | undefined
  readonly learner: boolean
}

export function readMemberStatus(answer: Uint8Array): MemberStatus {
  let of = noHeader
  let version = ''
  let size = 0
  let sizeInUse = 0
  let leader: string | undefined
  let learner = false
  for (const field of fields(answer)) {
    if (field.number === header) of = readHeader(field)
    else if (field.number === 2) version = text(field)
    else if (field.number === 3) size = number(field)
    else if (field.number === 4) leader = hexadecimal(field)
    else if (field.number === 9) sizeInUse = number(field)
    else if (field.number === 10) learner = flag(field)
  }
  return { header: of, version, size, sizeInUse, leader, learner }
}

export const newLearner = (peerUrl: string): Uint8Array => message([1, peerUrl], [2, true])
export const newAddress = (id: string, peerUrl: string): Uint8Array =>
  message([1, BigInt(`0x${id}`)], [2, peerUrl])
/** Of a member, in the hexadecimal digits that answers have. */
export const byId = (id: string): Uint8Array => message([1, BigInt(`0x${id}`)])

export interface Member {
  /** In hexadecimal digits. */
  readonly id: string
  /** Empty until the member has started for the first time. */
  readonly name: string
  readonly peerUrls: readonly string[]
  readonly clientUrls: readonly string[]
  readonly learner: boolean
}

export function readMembers(answer: Uint8Array): readonly Member[] {
  return [...fields(answer)].filter((field) => field.number === 2).map(readMember)
}

function readMember(field: Field): Member {
  let id = ''
  let name = ''
  const peerUrls: string[] = []
  const clientUrls: string[] = []
  let learner = false
  for (const each of fields(bytes(field))) {
    if (each.number === 1) id = hexadecimal(each)
    else if (each.number === 2) name = text(each)
    else if (each.number === 3) peerUrls.push(text(each))
    else if (each.number === 4) clientUrls.push(text(each))
    else if (each.number === 5) learner = flag(each)
  }
  return { id, name, peerUrls, clientUrls, learner }
}

/** An alarm that a member has raised; it lasts until someone takes it back. */
export interface Alarm {
  readonly member: string
  readonly kind: 'no space' | 'corrupt' | 'unknown'
}

export const listAlarms = (): Uint8Array => message()
export const takeBack = (alarm: Alarm): Uint8Array =>
  message([1, 2], [2, BigInt(`0x${alarm.member}`)], [3, alarm.kind === 'no space' ? 1 : 2])

export function readAlarms(answer: Uint8Array): readonly Alarm[] {
  return [...fields(answer)].filter((field) => field.number === 2).map(readAlarm)
}

function readAlarm(field: Field): Alarm {
  let member = '0'
  let kind: Alarm['kind'] = 'unknown'
  for (const each of fields(bytes(field))) {
    if (each.number === 1) member = hexadecimal(each)
    else if (each.number === 2) kind = number(each) === 1 ? 'no space' : number(each) === 2 ? 'corrupt' : kind
  }
  return { member, kind }
}
