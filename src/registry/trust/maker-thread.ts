import { parentPort } from 'node:worker_threads'
import { type Answer, carry, type Post, type Request } from '../../store/thread.ts'
import {
  makeAuthority,
  makeRequest,
  makeRevocations,
  readListed,
  renewRequest,
  type Signing,
  sign,
} from './certificates.ts'

export type MakerCalls = {
  authority(input: Parameters<typeof makeAuthority>[0]): Awaited<ReturnType<typeof makeAuthority>>
  request(input: Parameters<typeof makeRequest>[0]): Awaited<ReturnType<typeof makeRequest>>
  renewRequest(input: Parameters<typeof renewRequest>[0]): Awaited<ReturnType<typeof renewRequest>>
  sign(input: Signing): Awaited<ReturnType<typeof sign>>
  revocations(input: Parameters<typeof makeRevocations>[0]): Awaited<ReturnType<typeof makeRevocations>>
  listed(input: Parameters<typeof readListed>[0]): ReturnType<typeof readListed>
}

if (parentPort !== null) serve(parentPort)

function serve(port: NonNullable<typeof parentPort>) {
  port.on('message', async (request: Request<MakerCalls>) => {
    const post: Post = { answers: [await answer(request)] }
    port.postMessage(post)
  })
}

async function answer(request: Request<MakerCalls>): Promise<Answer> {
  try {
    return { call: request.call, value: await carryOut(request) }
  } catch (error) {
    return { call: request.call, error: carry(error) }
  }
}

async function carryOut(request: Request<MakerCalls>): Promise<unknown> {
  switch (request.name) {
    case 'authority':
      return makeAuthority(request.input)
    case 'request':
      return makeRequest(request.input)
    case 'renewRequest':
      return renewRequest(request.input)
    case 'sign':
      return sign(request.input)
    case 'revocations':
      return makeRevocations(request.input)
    case 'listed':
      return readListed(request.input)
  }
}
