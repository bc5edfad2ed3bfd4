import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import { frameParts, readFrames } from './frames.ts'

test('frames arrive as they were sent, however the pipe cuts them', async () => {
  const message = fc.record({ header: fc.dictionary(fc.string(), fc.integer()), body: fc.uint8Array() })
  await fc.assert(
    fc.asyncProperty(fc.array(message), fc.integer({ min: 1, max: 40 }), async (messages, piece) => {
      const wire = Buffer.concat(messages.flatMap(({ header, body }) => frameParts(header, body)))
      async function* pipe() {
        for (let at = 0; at < wire.length; at += piece) yield wire.subarray(at, at + piece)
      }
      const got: { header: string; body: number[] }[] = []
      for await (const { header, body } of readFrames(pipe(), 1_000_000))
        got.push({ header, body: [...body] })
      assert.deepEqual(
        got,
        messages.map(({ header, body }) => ({ header: JSON.stringify(header), body: [...body] })),
      )
    }),
  )
})

test('a frame that claims to be larger than allowed is refused before it is held in memory', async () => {
  async function* pipe() {
    yield Buffer.from([0xff, 0xff, 0xff, 0x7f, 0, 0, 0, 0])
  }
  await assert.rejects(async () => {
    for await (const _ of readFrames(pipe(), 1_000)) assert.fail()
  })
})
