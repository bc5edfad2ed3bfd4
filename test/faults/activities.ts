import { createHash } from 'node:crypto'
import { z } from 'zod'
import { playlistDetail, queueView } from '../../src/protocol/api/listening.ts'
import { uploadResult } from '../../src/protocol/api/uploads.ts'
import { id3v2, textFrame } from '../fixtures/id3.ts'
import { believe } from './ledger.ts'
import type { RegisterOperation } from './register.ts'
import { mayHaveHappened, type Writer } from './writer.ts'

/** What clients do: each writes one thing, and notes in the ledger what it was promised. */
export type Activity = (writer: Writer) => Promise<void>

/** So few queues that clients meet at them. */
const registers = 3
/** A playlist that all change grows no longer than this; then they take another. */
const mostAppended = 150
const tus = { 'tus-resumable': '1.0.0' }
const ratedTrack = z.object({ mark: z.object({ rating: z.number().optional() }) })

/** What this register holds is where in its song the queue stands: a number that nobody else writes. */
export const replaceQueue: Activity = async (writer) => {
  const account = writer.pick(writer.accounts.slice(0, registers))
  const note = (operation: RegisterOperation) => {
    const { registers: histories } = writer.ledger
    const history = histories.get(account.name)
    if (history === undefined) histories.set(account.name, [operation])
    else history.push(operation)
  }
  const { token } = account
  const path = '/api/queue'
  const askedAt = performance.now()
  const read = await writer.send({ method: 'GET', path, token })
  if (read.kind !== 'done') return
  const { positionMs, changedAt } = queueView.parse(read.body)
  const seen = { at: performance.now(), output: { value: positionMs } }
  note({ input: { kind: 'read' }, calledAt: askedAt, answer: seen })

  const value = writer.unique()
  const queue = { tracks: writer.songs.slice(0, 1), current: 0, positionMs: value, basedOn: changedAt }
  const calledAt = performance.now()
  const reply = await writer.send({ method: 'PUT', path, token, json: queue })
  const at = performance.now()
  const input = { kind: 'replace', expected: positionMs, value } as const
  if (reply.kind === 'done') {
    writer.acknowledged()
    note({ input, calledAt, answer: { at, output: { replaced: true } } })
  } else if (reply.kind === 'refused' && reply.code === 'CONFLICT') {
    writer.ledger.counts.conflicts += 1
    note({ input, calledAt, answer: { at, output: { replaced: false } } })
  } else if (mayHaveHappened(reply)) note({ input, calledAt })
}

export const rate: Activity = async (writer) => {
  const account = writer.own.name
  const track = writer.pick([...writer.songs, ...writer.uploads])
  const belief = believe(writer.ledger.ratings, `${account} ${track}`, { account, track })
  const rating = (Number(belief.acknowledged ?? 0) % 5) + 1
  const reply = await writer.send({ method: 'PUT', path: `/api/marks/track/${track}`, json: { rating } })
  await writer.settle(belief, String(rating), reply, async (after) => {
    const read = await writer.send({ method: 'GET', path: `/api/tracks/${track}`, after })
    return read.kind === 'done' ? String(ratedTrack.parse(read.body).mark.rating) : null
  })
}

export const makePlaylist: Activity = async (writer) => {
  const name = `playlist ${writer.unique()}`
  const json = { name, tracks: writer.songs }
  const reply = await writer.send({ method: 'POST', path: '/api/playlists', json })
  if (reply.kind !== 'done') return
  writer.acknowledged()
  writer.ledger.playlists.set(name, { account: writer.own.name, tracks: writer.songs.length })
  believe(writer.ledger.comments, playlistDetail.parse(reply.body).id, { account: writer.own.name })
}

/** Of one of its own playlists. */
export const comment: Activity = async (writer) => {
  const own = [...writer.ledger.comments].filter(([, { account }]) => account === writer.own.name)
  if (own.length === 0) return await makePlaylist(writer)
  const [id, belief] = writer.pick(own)
  const path = `/api/playlists/${id}`
  const value = `comment ${writer.unique()}`
  const reply = await writer.send({ method: 'PATCH', path, json: { comment: value } })
  await writer.settle(belief, value, reply, async (after) => {
    const read = await writer.send({ method: 'GET', path, after })
    return read.kind === 'done' ? playlistDetail.parse(read.body).comment : null
  })
}

/** All clients append to one list, each its own song. */
export const append: Activity = async (writer) => {
  const { ledger, accounts, songs, number } = writer
  const token = accounts[0]?.token ?? ''
  const [shared, counted] = [...ledger.appended].at(-1) ?? []
  const length = [...(counted?.values() ?? [])].reduce(
    (sum, { acknowledged, doubtful }) => sum + acknowledged + doubtful,
    0,
  )
  if (shared === undefined || counted === undefined || length > mostAppended) {
    const json = { name: `shared ${writer.unique()}` }
    const made = await writer.send({ method: 'POST', path: '/api/playlists', token, json })
    if (made.kind !== 'done') return
    writer.acknowledged()
    ledger.appended.set(playlistDetail.parse(made.body).id, new Map())
    return
  }
  const track = songs[number % songs.length] ?? ''
  const mine = counted.get(track) ?? { acknowledged: 0, doubtful: 0 }
  counted.set(track, mine)
  const json = { edits: [{ do: 'append', tracks: [track] }] }
  const reply = await writer.send({ method: 'PATCH', path: `/api/playlists/${shared}`, token, json })
  if (reply.kind === 'done') {
    writer.acknowledged()
    mine.acknowledged += 1
  } else if (reply.kind === 'refused' && reply.code === 'CONFLICT') ledger.counts.conflicts += 1
  else if (mayHaveHappened(reply)) mine.doubtful += 1
}

/** Both parts of an upload go to one gateway, where its bytes are gathered. */
export const upload: Activity = async (writer) => {
  const { ledger } = writer
  const title = `upload ${writer.unique()}`
  const bytes = Buffer.concat([id3v2([textFrame('TIT2', title)]), writer.sound])
  const gateway = writer.pick(writer.gateways())
  const metadata = `filename ${Buffer.from(`${title}.mp3`).toString('base64')}`
  const announced = await writer.send({
    gateway,
    method: 'POST',
    path: '/api/uploads',
    headers: { ...tus, 'upload-length': String(bytes.length), 'upload-metadata': metadata },
  })
  if (announced.kind !== 'done' || typeof announced.body !== 'string') return
  const reply = await writer.send({
    gateway,
    method: 'PATCH',
    path: new URL(announced.body, gateway).pathname,
    headers: { ...tus, 'upload-offset': '0', 'content-type': 'application/offset+octet-stream' },
    body: new Uint8Array(bytes),
  })
  if (reply.kind !== 'done') return
  writer.acknowledged()
  ledger.counts.uploads += 1
  const { track } = uploadResult.parse(reply.body)
  writer.uploads.push(track)
  ledger.uploads.set(track, createHash('sha256').update(bytes).digest('hex'))
  if (reply.revision === undefined) return void ledger.violations.push(`[F4] no revision came with ${title}`)
  const read = await writer.send({ method: 'GET', path: `/api/tracks/${track}`, after: reply.revision })
  if (read.kind === 'done') ledger.counts.readsOfOwn += 1
  else if (mayHaveHappened(read)) ledger.counts.readsRefused += 1
  else ledger.violations.push(`[F4] ${title}, acknowledged at ${reply.revision}, is unknown: ${read.code}`)
}
