import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { temporaryFolder } from '../test/harness/folder.ts'
import { openRoom } from './room.ts'

test('a room is gone with all that was left in it, and so are those of processes that were killed', async () => {
  await using folder = await temporaryFolder('room')
  const { pid } = spawnSync(process.execPath, ['--eval', ''])
  const [left, others] = [`hocket-room-${pid}-Left`, `hocket-room-${process.ppid}-Used`]
  for (const name of [left, others, 'else']) mkdirSync(join(folder.path, name))
  let path = ''
  {
    using room = openRoom([folder.path])
    path = room.path
    writeFileSync(join(path, 'left'), 'x')
    const there = [left, others, 'else'].map((name) => existsSync(join(folder.path, name)))
    assert.deepEqual(there, [false, true, true])
  }
  assert.equal(existsSync(path), false)
})
