import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { z } from 'zod'

const verdict = z.strictObject({
  kills: z.int(),
  underruns: z.int(),
  identical: z.boolean(),
  changeoverMs: z.strictObject({ p50: z.number(), p99: z.number() }),
  writesAcknowledged: z.int(),
  writesLost: z.int(),
})

test('[B5] [F1] the demonstration kills who serves and who leads: nothing is heard of it, and nothing lost', async () => {
  const demo = join(import.meta.dirname, '..', '..', 'tools', 'demo.ts')
  const { stdout } = await promisify(execFile)(process.execPath, [demo, '--check', '--kills', '2'], {
    timeout: 400_000,
  })
  const { writesAcknowledged, changeoverMs: _times, ...said } = verdict.parse(JSON.parse(stdout))
  assert.deepEqual(said, { kills: 2, underruns: 0, identical: true, writesLost: 0 })
  assert.ok(writesAcknowledged > 0)
})
