import assert from 'node:assert/strict'
import type { Client } from './client.ts'

const protocol = { 'tus-resumable': '1.0.0' }

/** Announces an upload (tus 1.0.0) and answers where it goes. */
export async function createUpload(client: Client, name: string, size: number): Promise<string> {
  const metadata = `filename ${Buffer.from(name).toString('base64')}`
  const headers = { ...protocol, 'upload-length': String(size), 'upload-metadata': metadata }
  const answer = await client.fetch('/api/uploads', { method: 'POST', headers })
  assert.equal(answer.status, 201)
  const location = answer.headers.get('location')
  assert.ok(location)
  return location
}

/** Sends bytes from `offset`; the answer to the last of them tells what became of the upload. */
export async function sendUpload(
  client: Client,
  location: string,
  offset: number,
  bytes: Uint8Array,
): Promise<Response> {
  const headers = {
    ...protocol,
    'upload-offset': String(offset),
    'content-type': 'application/offset+octet-stream',
  }
  const answer = await client.fetch(location, { method: 'PATCH', headers, body: new Uint8Array(bytes) })
  assert.ok(answer.ok, `the upload answered ${answer.status}`)
  return answer
}

/** How many bytes have arrived. */
export async function offsetOf(client: Client, location: string): Promise<number> {
  const answer = await client.fetch(location, { method: 'HEAD', headers: protocol })
  assert.equal(answer.status, 200)
  return Number(answer.headers.get('upload-offset'))
}
