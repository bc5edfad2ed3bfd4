import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { Ground } from '../../test/fixtures/ground.ts'
import { anna, openListeningGround, openTestListening } from '../../test/fixtures/listening.ts'
import { temporaryFolder } from '../../test/harness/folder.ts'
import { waitFor } from '../../test/harness/wait.ts'
import { CodedError } from '../protocol/errors.ts'
import { createListening } from './create.ts'

let ground: Ground
before(async () => {
  ground = await openListeningGround()
})
after(() => ground[Symbol.asyncDispose]())

/** Listening whose store is cut off when the test says so, on a folder that outlives it. */
async function openCuttable() {
  await using stack = new AsyncDisposableStack()
  const base = stack.use(await openTestListening(ground))
  const folder = stack.use(await temporaryFolder('kept'))
  const keptFolder = join(folder.path, 'kept-plays')
  const errors: unknown[] = []
  let isAway = false
  /** Commits that reach the store although the answer is lost. */
  let losesAnswers = false
  const store = {
    ...base.store,
    async commit(...asked: Parameters<typeof base.store.commit>) {
      if (isAway) throw new CodedError('UNREACHABLE')
      const outcome = await base.store.commit(...asked)
      if (losesAnswers) throw new CodedError('TIMED_OUT')
      return outcome
    },
  }
  const start = () =>
    createListening({
      store,
      index: base.index,
      catalog: base.catalog,
      isEpisode: () => false,
      userName: (id) => (id === anna.user ? 'anna' : undefined),
      tell: async () => [],
      keptFolder,
      onError: (error) => errors.push(error),
    })
  const owned = stack.move()
  return {
    ...base,
    start,
    keptFolder,
    errors,
    cut: (away: boolean, loses = false) => {
      isAway = away
      losesAnswers = loses
    },
    async waiting() {
      return await readdir(keptFolder).catch(() => [])
    },
    async playsOf(title: string) {
      await base.caughtUp()
      return (await base.catalog.track(anna, base.track(title))).mark.playCount
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

test('[N2] a play is kept while the store is away, and counts once when it is back, after a restart too', async () => {
  await using it = await openCuttable()
  it.cut(true)
  const plays = [1, 2, 3].map((at) => ({ play: randomUUID(), track: it.track('Moon'), at }))
  {
    await using listening = it.start()
    for (const play of plays) {
      const { kept, value, revision } = await listening.play(anna, play)
      assert.deepEqual([kept, value.playCount, revision], [true, 0, 0])
    }
    // Who got no answer says it again.
    for (const play of plays) assert.equal((await listening.play(anna, play)).kept, true)
    await assert.rejects(listening.play(anna, { play: randomUUID(), track: it.track('Whisper') }), {
      code: 'NOT_FOUND',
    })
    assert.equal((await it.waiting()).length, 3)
  }
  assert.equal(await it.playsOf('Moon'), 0)
  await using listening = it.start()
  it.cut(false)
  await waitFor(async () => (await it.waiting()).length === 0, { what: 'nothing to be kept' })
  assert.equal(await it.playsOf('Moon'), 3)
  const [first] = plays
  assert.ok(first)
  assert.deepEqual((await listening.play(anna, first)).value.playCount, 3, 'it counts once')
  assert.equal((await listening.play(anna, { ...first, play: randomUUID() })).kept, false)
  assert.deepEqual(it.errors, [])
})

test('a play whose answer from the store was lost is kept, and still counts once', async () => {
  await using it = await openCuttable()
  await using listening = it.start()
  it.cut(false, true)
  const answer = await listening.play(anna, { play: randomUUID(), track: it.track('Moon') })
  assert.equal(answer.kept, true)
  it.cut(false)
  await waitFor(async () => (await it.waiting()).length === 0, { what: 'nothing to be kept' })
  assert.equal(await it.playsOf('Moon'), 1)
})

test('what can never be counted is given up, with a word, and does not hold up the rest', async () => {
  await using it = await openCuttable()
  it.cut(true)
  {
    await using listening = it.start()
    await listening.play(anna, { play: randomUUID(), track: it.track('Moon'), at: 5 })
  }
  const play = { administrator: false, play: randomUUID(), at: 1 }
  const keep = (name: string, text: string) => writeFile(join(it.keptFolder, `${name}.json`), text)
  await keep('000000000000001-torn', '{"user":')
  await keep('000000000000002-track', JSON.stringify({ ...play, user: anna.user, track: randomUUID() }))
  await keep('000000000000003-user', JSON.stringify({ ...play, user: randomUUID(), track: it.track('Moon') }))
  it.cut(false)
  await using _ = it.start()
  await waitFor(async () => (await it.waiting()).length === 0, { what: 'nothing to be kept' })
  assert.equal(await it.playsOf('Moon'), 1)
  assert.equal(it.errors.length, 2)
})
