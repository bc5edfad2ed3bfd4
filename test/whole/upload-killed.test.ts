import assert from 'node:assert/strict'
import { type ChildProcess, fork } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { Upload } from 'tus-js-client'
import { albumParts } from '../../src/catalog/facts.ts'
import { alice, startUploadServer, wav } from '../../src/catalog/uploads/test-support.ts'
import { CodedError } from '../../src/protocol/errors.ts'

async function startApart(folder: string, hang = false): Promise<{ url: string; child: ChildProcess }> {
  const child = fork(new URL('../../src/catalog/uploads/test-server.ts', import.meta.url))
  child.send({ folder, hang })
  return { url: await nextMessage(child), child }
}

async function nextMessage(child: ChildProcess): Promise<string> {
  const died = once(child, 'exit').then(() => assert.fail('the server died'))
  const [message] = await Promise.race([once(child, 'message'), died])
  return String(message)
}

async function kill(child: ChildProcess): Promise<void> {
  child.kill('SIGKILL')
  await once(child, 'exit')
}

async function blobsOf(
  server: Awaited<ReturnType<typeof startUploadServer>>,
): Promise<(string | undefined)[]> {
  const found: (string | undefined)[] = []
  for await (const { value } of albumParts.walk(server.store))
    found.push(...value.tracks.map(({ blob }) => blob))
  return found
}

test('[N2] a server killed in the middle of an upload goes on at the right byte, and nothing is lost', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'hocket-uploads-'))
  try {
    const bytes = wav(9, 400_000)
    const { url, child } = await startApart(folder)
    const headers = { authorization: alice }
    let accepted = 0
    const died = once(child, 'exit')
    const upload = new Upload(bytes, {
      endpoint: url,
      headers,
      chunkSize: 60_000,
      retryDelays: null,
      metadata: { filename: 'long.wav' },
      // At once: the next piece would otherwise be on its way.
      onChunkComplete: (_size, total) => {
        accepted = total
        if (accepted > 200_000) child.kill('SIGKILL')
      },
      onError: () => {},
    })
    upload.start()
    await died
    await upload.abort()

    await using server = await startUploadServer(folder)
    const resumed = new URL(new URL(upload.url ?? '').pathname, server.url).href
    const head = await fetch(resumed, { method: 'HEAD', headers: { ...headers, 'tus-resumable': '1.0.0' } })
    const offset = Number(head.headers.get('upload-offset'))
    assert.ok(offset >= accepted && offset < bytes.length, `${accepted} ≤ ${offset} < ${bytes.length}`)
    await new Promise<void>((resolve, reject) => {
      new Upload(bytes, { uploadUrl: resumed, headers, onSuccess: () => resolve(), onError: reject }).start()
    })
    const hash = createHash('sha256').update(bytes).digest('hex')
    assert.deepEqual(await blobsOf(server), [hash])
    assert.equal(await server.blobs.verify(hash), 'sound')
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
})

test('[N2] a server killed between the blob and the facts finishes the upload at the next start, once', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'hocket-uploads-'))
  try {
    const bytes = wav(10)
    const { url, child } = await startApart(folder, true)
    const reached = nextMessage(child)
    const upload = new Upload(bytes, { endpoint: url, headers: { authorization: alice }, retryDelays: null })
    upload.options.onError = () => {}
    upload.start()
    assert.equal(await reached, 'hanging')
    await kill(child)
    await upload.abort()
    await using server = await startUploadServer(folder)
    await server.uploads.recovered()
    assert.deepEqual(await blobsOf(server), [createHash('sha256').update(bytes).digest('hex')])
    const [listed] = await server.uploads.list(alice)
    assert.deepEqual([listed?.state, listed?.result?.duplicate], ['done', false])
    assert.deepEqual(server.errors, [])
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
})

test('[B3] while the facts cannot be committed nothing is acknowledged, and asking again finishes it', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'hocket-uploads-'))
  try {
    let away = true
    await using server = await startUploadServer(folder, {
      wrapRecords: (records) => ({
        ...records,
        apply: (changes) => {
          if (away) throw new CodedError('UNREACHABLE')
          return records.apply(changes)
        },
      }),
    })
    const bytes = wav(11)
    const headers = { authorization: alice, 'tus-resumable': '1.0.0' }
    const begun = await fetch(server.url, {
      method: 'POST',
      headers: { ...headers, 'upload-length': String(bytes.length) },
    })
    const upload = new URL(begun.headers.get('location') ?? '', server.url).href
    const type = 'application/offset+octet-stream'
    const patch = { ...headers, 'upload-offset': '0', 'content-type': type }
    assert.equal((await fetch(upload, { method: 'PATCH', headers: patch, body: bytes })).status, 503)
    assert.equal((await fetch(upload, { method: 'HEAD', headers })).status, 503)
    assert.deepEqual(await blobsOf(server), [])
    away = false
    const asked = await Promise.all([1, 2, 3].map(() => fetch(upload, { method: 'HEAD', headers })))
    assert.deepEqual(
      asked.map((answer) => answer.headers.get('upload-offset')),
      Array(3).fill(String(bytes.length)),
    )
    assert.equal((await blobsOf(server)).length, 1)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
})
