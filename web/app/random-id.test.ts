import assert from 'node:assert/strict'
import { test } from 'node:test'
import { z } from 'zod'
import { randomId } from './random-id.ts'

test('ids are UUIDs of version 4, and no two are the same', () => {
  const ids = Array.from({ length: 1_000 }, randomId)
  for (const id of ids) assert.ok(z.uuidv4().safeParse(id).success, id)
  assert.equal(new Set(ids).size, ids.length)
})
